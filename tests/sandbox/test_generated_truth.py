"""The truth beside the tenant: it agrees with the alerts and the tables, row by row."""

import json
from typing import Any

import polars as pl
import pytest

from etl.sandbox import Tenant, moments
from etl.sandbox.literals import instant

KEY = ["DeviceId", "ProcessId", "ProcessCreationTicks"]


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    """Return a tenant with plenty of processes in alerts."""
    return Tenant.generate(seed=21, scale=1.0, days=3)


@pytest.fixture(scope="module")
def creations(tenant: Tenant) -> pl.DataFrame:
    """Return how often each process has a creation row."""
    return (
        tenant.tables["DeviceProcessEvents"]
        .group_by("DeviceId", "ProcessId", ProcessCreationTicks="ProcessCreationTime")
        .agg(Rows=pl.len())
    )


def item_of(tenant: Tenant, row: dict[str, Any]) -> dict[str, Any]:
    """Return the item of evidence that a row of truth is about."""
    alerts: dict[str, dict[str, Any]] = {str(alert["id"]): alert for alert in tenant.alerts}
    item: dict[str, Any] = alerts[row["AlertId"]]["evidence"][row["EvidenceIndex"]]
    return item


def test_truth_has_a_row_for_every_process_item(tenant: Tenant) -> None:
    """Every processEvidence item of every alert with an id has exactly one row."""
    alerts: list[dict[str, Any]] = tenant.alerts
    items = {
        (alert["id"], index)
        for alert in alerts
        for index, item in enumerate(alert["evidence"])
        if alert["id"] and item["@odata.type"].endswith(".processEvidence")
    }

    assert set(tenant.truth.select("AlertId", "EvidenceIndex").rows()) == items
    assert len(tenant.truth) == len(items)


def test_evidence_ticks_are_what_the_evidence_says(tenant: Tenant) -> None:
    """EvidenceTicks is the printed time, null where there is none."""
    for row in tenant.truth.rows(named=True):
        text = item_of(tenant, row)["processCreationDateTime"]
        if row["Case"] != "pid_zero":
            assert row["EvidenceTicks"] == (text and instant(text) + moments.UNIX_EPOCH)


def test_creation_rows_are_there_once_or_not_at_all(
    tenant: Tenant, creations: pl.DataFrame
) -> None:
    """HasCreationRow means exactly one row with the true ticks, and its absence none."""
    counted = tenant.truth.join(creations, on=KEY, how="left").with_columns(
        pl.col("Rows").fill_null(0)
    )

    assert (counted["Rows"] == counted["HasCreationRow"].cast(pl.UInt32)).all()


def test_events_of_truth_are_rows_of_the_tables(tenant: Tenant) -> None:
    """Every true event is one row of its table, and shows the process as its role wants."""
    for (table, role), events in tenant.truth_events.group_by("EventTable", "Role"):
        prefix = "InitiatingProcess" if role == "initiator" else "Process"
        shown = tenant.tables[str(table)].select(
            "DeviceId",
            "ReportId",
            TimestampTicks="Timestamp",
            ProcessId="InitiatingProcessId" if role == "initiator" else "ProcessId",
            Shown=f"{prefix}CreationTime",
        )
        matched = events.join(
            shown, on=["DeviceId", "ReportId", "TimestampTicks", "ProcessId"], how="inner"
        )
        late = matched["ProcessCreationTicks"] - matched["Shown"]

        assert len(matched) == len(events)
        assert late.is_between(0, moments.CENTISECOND - 1).all()


def test_telemetry_means_a_creation_row_or_an_initiated_event(tenant: Tenant) -> None:
    """HasTelemetry agrees with the true events."""
    present = tenant.truth_events.select(KEY).unique().with_columns(Present=pl.lit(value=True))
    joined = tenant.truth.join(present, on=KEY, how="left").with_columns(
        pl.col("Present").fill_null(value=False)
    )

    assert joined.filter(pl.col("Present") != pl.col("HasTelemetry")).rows() == []


@pytest.mark.parametrize(
    ("case", "telemetry", "row"),
    [
        ("windows", 1, 1),
        ("telemetry_absent", 0, 0),
        ("initiator_only", 1, 0),
        ("old_process", 1, 1),
        ("pid_zero", 0, 0),
    ],
)
def test_cases_are_what_they_are_called(
    tenant: Tenant, case: str, telemetry: int, row: int
) -> None:
    """Each case has the telemetry that its name promises."""
    found = tenant.truth.filter(Case=case)

    assert len(found) > 0
    assert set(found["HasTelemetry"]) == {bool(telemetry)}
    assert set(found["HasCreationRow"]) == {bool(row)}


def test_old_processes_are_a_day_older_than_their_alert(tenant: Tenant) -> None:
    """An old process was created 24 to 30 hours before the first activity."""
    for row in tenant.truth.filter(Case="old_process").rows(named=True):
        alert = next(one for one in tenant.alerts if one["id"] == row["AlertId"])
        first = instant(str(alert["firstActivityDateTime"])) + moments.UNIX_EPOCH

        assert first - row["ProcessCreationTicks"] > 24 * moments.HOUR - moments.MINUTE
        assert first - row["ProcessCreationTicks"] < 31 * moments.HOUR


def test_undecidable_means_two_processes_with_one_key(
    tenant: Tenant, creations: pl.DataFrame
) -> None:
    """A bare key is undecidable only where telemetry has a second process under it."""
    for row in tenant.truth.filter("UsableKey", "HasCreationRow", Case="bare_exec_chain").rows(
        named=True
    ):
        cut = row["EvidenceTicks"]
        rivals = creations.filter(
            pl.col("ProcessCreationTicks").is_between(cut, cut + moments.CENTISECOND - 1),
            DeviceId=row["DeviceId"],
            ProcessId=row["ProcessId"],
        )
        assert (len(rivals) == 1) == row["Decidable"]


def test_both_kinds_of_exec_chain_occur(tenant: Tenant) -> None:
    """Pairs of fork and exec can be told apart but where nothing is said of the program."""
    assert set(tenant.truth.filter(Case="bare_exec_chain")["Decidable"]) == {False}
    assert set(tenant.truth.filter(Case="exec_chain")["Decidable"]) == {True}
    assert set(tenant.truth.filter(Case="mac_exec_chain")["Decidable"]) == {True}


def test_duplicates_name_one_process_twice(tenant: Tenant) -> None:
    """The case duplicate_evidence lists the same key twice in one alert."""
    pairs = tenant.truth.filter(Case="duplicate_evidence").group_by("AlertId", *KEY).len()

    assert (pairs["len"] == 2).all()


def test_malformed_records_are_not_in_truth(tenant: Tenant) -> None:
    """Neither alerts without id nor impossible rows occur in truth."""
    impossible = tenant.tables["DeviceNetworkEvents"].filter(
        ~pl.col("RemotePort").is_between(0, 65_535)
    )
    rows = impossible.select("DeviceId", "ReportId", TimestampTicks="Timestamp")

    assert "" not in set(tenant.truth["AlertId"])
    assert tenant.truth_events.filter(EventTable="DeviceNetworkEvents").join(
        rows, on=["DeviceId", "ReportId", "TimestampTicks"], how="semi"
    ).is_empty()  # fmt: skip


def hidden_row(tenant: Tenant, row: dict[str, Any]) -> dict[str, Any]:
    """Return hunting's one row of a process whose key the evidence lacks."""
    item = item_of(tenant, row)
    rows = tenant.tables["AlertEvidence"].filter(
        AlertId=row["AlertId"],
        EntityType="Process",
        ProcessCommandLine=item["processCommandLine"],
        SHA1=item["imageFile"]["sha1"],
    )
    assert len(rows) == 1
    return rows.row(0, named=True)


def test_hidden_keys_are_told_by_hunting_only(tenant: Tenant) -> None:
    """Where the evidence lacks one half of a key, hunting's row has both and no DeviceId."""
    hidden = tenant.truth.filter("HiddenKey").rows(named=True)
    lacking: set[str] = set()
    for row in hidden:
        item = item_of(tenant, row)
        lacking |= {name for name in ("processId", "processCreationDateTime") if item[name] is None}
        told = hidden_row(tenant, row)
        fields = json.loads(told["AdditionalFields"])

        assert row["Case"] == "hidden_key"
        assert not row["UsableKey"]
        assert None in (item["processId"], item["processCreationDateTime"])
        assert told["DeviceId"] is None
        assert fields["ProcessId"] == str(row["ProcessId"])
        created = instant(fields["CreationTimeUtc"]) + moments.UNIX_EPOCH
        assert created == row["ProcessCreationTicks"]

    assert len(hidden) >= 3
    assert lacking == {"processId", "processCreationDateTime"}


def test_hosts_of_hidden_keys_are_before_after_or_beside_the_reference(tenant: Tenant) -> None:
    """The host is written before or after the reference to it, or only the Machine row has it."""
    found: set[str] = set()
    for row in tenant.truth.filter("HiddenKey").rows(named=True):
        text = hidden_row(tenant, row)["AdditionalFields"]
        machines = tenant.tables["AlertEvidence"].filter(
            AlertId=row["AlertId"], EntityType="Machine"
        )
        written = text.find(f'"MachineId": "{row["DeviceId"]}"')
        place = "after" if written > text.index('"$ref"') else "before"
        found.add(place if written >= 0 else "beside")

        assert machines["DeviceId"].to_list() == [row["DeviceId"]]

    assert found == {"before", "after", "beside"}


def test_some_processes_have_a_row_of_their_file(tenant: Tenant) -> None:
    """A File row may hold the pid of a process, as text, and nothing else of it."""
    rows = tenant.tables["AlertEvidence"].filter(
        pl.col("AdditionalFields").is_not_null(), EntityType="File"
    )
    known = set(tenant.truth.select("AlertId", pl.col("ProcessId").cast(pl.String)).rows())
    told = [json.loads(text) for text in rows["AdditionalFields"]]
    pids = set(zip(rows["AlertId"], (one["ProcessId"] for one in told), strict=True))

    assert len(rows) > 20
    assert all(set(one) == {"$id", "ProcessId"} for one in told)
    assert {pair for pair in pids if pair[1] not in (None, "0")} <= known
