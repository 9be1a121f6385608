"""Telemetry that arrives late, and hunting tables that have changed without a word."""

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
import pytest
import requests

from etl.sandbox import Faults, Sandbox, Tenant, moments
from etl.sandbox.mde import AUDIENCE

Hunt = Callable[[str], list[dict[str, Any]]]
SignIn = Callable[..., requests.Session]
PATH = "/v1.0/security/runHuntingQuery"


@pytest.fixture(scope="module")
def late(small: Tenant) -> Iterator[Sandbox]:
    """Serve the small tenant, to hold telemetry back in it."""
    with Sandbox(small, faults=Faults(calls_per_minute=10_000)) as served:
        yield served


@pytest.fixture(scope="module")
def drifted(small: Tenant) -> Iterator[Sandbox]:
    """Serve the small tenant with tables that have drifted."""
    with Sandbox(small, faults=Faults(drift=1, calls_per_minute=10_000)) as served:
        yield served


def asked(session: requests.Session, sandbox: Sandbox, query: str) -> list[dict[str, Any]]:
    """Return the rows of a query."""
    answer = session.post(sandbox.url + PATH, json={"Query": query}, timeout=60)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["results"]
    return rows


def counted(session: requests.Session, sandbox: Sandbox, query: str) -> int:
    """Return the number of rows of a query."""
    number: int = asked(session, sandbox, f"{query} | count")[0]["Count"]
    return number


def test_withheld_devices_are_invisible_until_released(late: Sandbox, sign_in: SignIn) -> None:
    """Rows of a withheld device are in no table of telemetry, and come back as they were."""
    tables = late.tenant.tables
    device = str(tables["DeviceFileEvents"]["DeviceId"][0])
    own = tables["DeviceFileEvents"].filter(DeviceId=device).height
    whole = tables["DeviceFileEvents"].height
    with sign_in(late) as session:
        late.withhold([device.upper()])
        hidden = counted(session, late, "DeviceFileEvents")
        listed = counted(session, late, f'DeviceInfo | where DeviceId == "{device}"')
        late.withhold({str(one) for one in tables["DeviceFileEvents"]["DeviceId"].unique()})
        nothing = counted(session, late, "DeviceFileEvents")
        late.release()
        back = counted(session, late, "DeviceFileEvents")

    assert own
    assert (hidden, listed, nothing, back) == (whole - own, 0, 0, whole)


def test_alerts_are_told_while_telemetry_is_withheld(late: Sandbox, sign_in: SignIn) -> None:
    """What hunting says of alerts does not depend on devices."""
    with sign_in(late) as session:
        before = counted(session, late, "AlertEvidence")
        late.withhold([device.id for device in late.tenant.devices])
        after = counted(session, late, "AlertEvidence")
        late.release()

    assert before == after > 0


def test_rows_after_an_instant_can_be_withheld(late: Sandbox, sign_in: SignIn) -> None:
    """Only rows up to the instant are seen, to the tick."""
    times = late.tenant.tables["DeviceFileEvents"]["Timestamp"].sort()
    middle = int(times[len(times) // 2])
    with sign_in(late) as session:
        late.withhold_after(middle)
        seen = counted(session, late, "DeviceFileEvents")
        late.release()

    assert seen == (times <= middle).sum() < len(times)


def test_a_table_gains_a_column(drifted: Sandbox, sign_in: SignIn) -> None:
    """DeviceProcessEvents has a column that no schema has, also in a union and by name."""
    with sign_in(drifted) as session:
        alone = asked(session, drifted, "DeviceProcessEvents | take 5")
        union = asked(
            session, drifted,
            "union withsource=SourceTable DeviceProcessEvents, DeviceEvents | take 9",
        )  # fmt: skip
        named = asked(session, drifted, "DeviceProcessEvents | take 1 | project FutureColumn")

    assert all(row["FutureColumn"] == f"future {row['ReportId']}" for row in alone)
    assert all("FutureColumn" in row for row in union)
    assert named[0]["FutureColumn"].startswith("future ")


def test_a_table_loses_a_column(drifted: Sandbox, sign_in: SignIn) -> None:
    """Rows of DeviceNetworkEvents have no RemoteIPType; those of other tables do."""
    with sign_in(drifted) as session:
        network = asked(session, drifted, "DeviceNetworkEvents | take 5")
        logons = asked(session, drifted, "DeviceLogonEvents | take 5")

    assert all("RemoteIPType" not in row and "RemoteIP" in row for row in network)
    assert all(row["RemoteIPType"] for row in logons)


@pytest.mark.parametrize(
    "source", ["DeviceFileEvents", "union withsource=SourceTable DeviceFileEvents"]
)
def test_numbers_come_as_text(drifted: Sandbox, sign_in: SignIn, source: str) -> None:
    """FileSize of DeviceFileEvents is text, and still has its note of type."""
    with sign_in(drifted) as session:
        rows = asked(session, drifted, f"{source} | where isnotnull(FileSize) | take 20")

    assert len(rows) == 20
    assert all(row["FileSize"].isdecimal() for row in rows)
    assert all(row["FileSize@odata.type"] == "#Int64" for row in rows)


def test_flags_are_spelt_in_every_way(drifted: Sandbox, sign_in: SignIn) -> None:
    """IsLocalAdmin is true or false, 1 or 0, and text, in turn; the value is the same."""
    query = "DeviceLogonEvents | where isnotnull(IsLocalAdmin) | take 900"
    with sign_in(drifted) as session:
        rows = asked(session, drifted, query)
    found = {(type(row["IsLocalAdmin"]).__name__, str(row["IsLocalAdmin"])) for row in rows}
    spelt = {(type(value).__name__, str(value)) for flag in (True, False)
             for value in (flag, int(flag), str(flag))}  # fmt: skip
    truth = drifted.tenant.tables["DeviceLogonEvents"].select(
        "DeviceId", pl.col("Timestamp").map_elements(moments.text, pl.String), "ReportId",
        "IsLocalAdmin",
    ).rows()  # fmt: skip
    known = {row[:3]: row[3] for row in truth}

    assert found == spelt
    assert all("IsLocalAdmin@odata.type" in row for row in rows)
    for row in rows:
        key = row["DeviceId"], row["Timestamp"], row["ReportId"]
        assert (str(row["IsLocalAdmin"]) in ("True", "1")) == known[key]


def test_two_rows_have_a_number_that_is_none(drifted: Sandbox, sign_in: SignIn) -> None:
    """Exactly the rows that the tenant calls malformed have an unreadable ProcessId."""
    with sign_in(drifted) as session:
        rows = asked(session, drifted, "DeviceEvents")
    bad = {(row["DeviceId"], row["Timestamp"], row["ReportId"]) for row in rows
           if row["ProcessId"] == "12a"}  # fmt: skip
    known = drifted.tenant.malformed.select(
        "DeviceId", pl.col("TimestampTicks").map_elements(moments.text, pl.String), "ReportId"
    ).rows()

    assert len(rows) == drifted.tenant.tables["DeviceEvents"].height
    assert bad == set(known)
    assert len(bad) == 2


def test_both_apis_drift(drifted: Sandbox, sign_in: SignIn) -> None:
    """Defender for Endpoint's own API answers from the same tables."""
    with sign_in(drifted, resource=AUDIENCE) as session:
        body = {"Query": "DeviceProcessEvents | take 1"}
        answer = session.post(
            f"{drifted.url}/api/advancedqueries/run", json=body, timeout=30
        ).json()

    assert "FutureColumn" in {one["Name"] for one in answer["Schema"]}
    assert "FutureColumn" in answer["Results"][0]
