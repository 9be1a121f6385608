"""The generated tenant: the same every time, large enough, and as awkward as real data."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from etl.sandbox import Tenant, moments
from etl.sandbox.tables import schema

UNTIL = date(2026, 11, 23)


@pytest.fixture(scope="module")
def full() -> Tenant:
    """Return a tenant of ordinary size."""
    return Tenant.generate(seed=7, scale=1.0, days=3, until=UNTIL)


def evidence(tenant: Tenant, kind: str) -> list[dict[str, Any]]:
    """Return all items of a type."""
    alerts: list[dict[str, Any]] = tenant.alerts
    return [
        item
        for alert in alerts
        for item in alert["evidence"]
        if item["@odata.type"] == f"#microsoft.graph.security.{kind}"
    ]


def test_the_same_seed_makes_the_same_tenant() -> None:
    """Alerts, tables and truth depend on seed, scale, days and end only."""
    first, second = (Tenant.generate(seed=3, scale=0.1, days=2, until=UNTIL) for _ in range(2))

    assert first.alerts == second.alerts
    assert first.truth.equals(second.truth)
    assert first.truth_events.equals(second.truth_events)
    assert all(first.tables[name].equals(second.tables[name]) for name in schema())


def test_another_seed_makes_another_tenant(small: Tenant) -> None:
    """The seed changes the alerts."""
    other = Tenant.generate(seed=6, scale=0.1, days=3)

    assert {alert["id"] for alert in other.alerts} & {alert["id"] for alert in small.alerts} == {""}


def test_alerts_fall_on_the_full_days_before_the_end(full: Tenant) -> None:
    """Each alert is created on one of the tenant's days, and every day has some."""
    created = {date.fromisoformat(str(alert["createdDateTime"])[:10]) for alert in full.alerts}

    assert full.days == [date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22)]
    assert created == set(full.days)


def test_days_end_today_unless_told_otherwise(small: Tenant) -> None:
    """Without an end the last day is yesterday in UTC."""
    assert small.days[-1] >= datetime.now(UTC).date() - timedelta(days=2)


def test_a_full_tenant_has_the_promised_size(full: Tenant) -> None:
    """Scale 1 has about 60 devices, 35 alerts a day and 250,000 to 350,000 events."""
    events = sum(len(rows) for name, rows in full.tables.items() if name.startswith("Device"))

    assert 55 <= full.tables["DeviceInfo"]["DeviceId"].n_unique() <= 65
    assert 100 <= len(full.alerts) <= 120
    assert 250_000 <= events <= 350_000


@pytest.mark.parametrize("table", sorted(schema()))
def test_tables_have_the_columns_of_the_contract(small: Tenant, table: str) -> None:
    """Every table has its columns in order, with datetimes as ticks."""
    rows = small.tables[table]

    assert rows.columns == list(schema()[table])
    assert all(
        rows.schema[name] == pl.Int64
        for name, kind in schema()[table].items()
        if kind == "datetime"
    )


def test_every_case_occurs_even_in_a_small_tenant(small: Tenant) -> None:
    """Scale 0.1 still has at least one process of each case."""
    cases = set(small.truth["Case"])

    assert cases >= {
        "windows", "linux_cut", "exec_chain", "macos", "mac_exec_chain", "pid_reuse",
        "no_device_id", "upper_device_id", "sentinel_time", "pid_zero", "null_time", "null_pid",
        "hidden_key", "telemetry_absent", "duplicate_evidence", "old_process", "initiator_only",
    }  # fmt: skip


def test_linux_initiators_are_cut_to_ten_milliseconds(full: Tenant) -> None:
    """Own rows keep microseconds on Linux, the same processes as initiators do not."""
    linux = full.tables["DeviceInfo"].filter(OSPlatform="Linux")["DeviceId"].unique()
    rows = full.tables["DeviceProcessEvents"].filter(
        pl.col("DeviceId").is_in(linux.implode()), pl.col("FileName") != "broken.exe"
    )
    own, initiator = rows["ProcessCreationTime"], rows["InitiatingProcessCreationTime"].drop_nulls()

    assert (own % moments.MICROSECOND == 0).all()
    assert (own % moments.CENTISECOND != 0).mean() > 0.9
    assert (initiator % moments.CENTISECOND == 0).all()


def test_exec_keeps_the_pid(full: Tenant) -> None:
    """Some rows have the pid of their initiator, created 30 µs to 13.6 ms later."""
    mac = full.tables["DeviceInfo"].filter(OSPlatform="macOS")["DeviceId"].unique()
    gaps = full.tables["DeviceProcessEvents"].filter(
        pl.col("DeviceId").is_in(mac.implode()),
        pl.col("ProcessId") == pl.col("InitiatingProcessId"),
    )
    ticks = gaps["ProcessCreationTime"] - gaps["InitiatingProcessCreationTime"]

    assert len(gaps) > 50
    assert ticks.is_between(300, 136_000).all()


def test_windows_reuses_pids(full: Tenant) -> None:
    """A notable share of pids on a Windows device has several creation times."""
    windows = full.tables["DeviceInfo"].filter(pl.col("OSPlatform").str.starts_with("Windows"))
    times = (
        full.tables["DeviceProcessEvents"]
        .filter(pl.col("DeviceId").is_in(windows["DeviceId"].unique().implode()))
        .group_by("DeviceId", "ProcessId")
        .agg(pl.col("ProcessCreationTime").n_unique())
    )

    assert 0.05 < (times["ProcessCreationTime"] > 1).mean() < 0.4


def test_pids_pass_sixteen_bits_and_the_linux_limit(full: Tenant) -> None:
    """Process numbers above 65,535 and above 4,194,304 occur."""
    pids = full.tables["DeviceProcessEvents"]["ProcessId"]

    assert pids.is_between(65_536, 4_194_304).any()
    assert (pids > 4_194_304).any()


def test_unique_ids_are_text_and_no_substitute(full: Tenant) -> None:
    """ProcessUniqueId passes 2^53 on Windows, is 0 on macOS and missing on some devices."""
    ids = full.tables["DeviceProcessEvents"]["ProcessUniqueId"]

    assert ids.null_count() > 0
    assert (ids == "0").any()
    assert (ids.drop_nulls().cast(pl.Int64) > 2**53).any()


def test_report_numbers_repeat_on_a_device(full: Tenant) -> None:
    """ReportId alone identifies nothing; in DeviceInfo it is a count of ticks."""
    rows = full.tables["DeviceNetworkEvents"]

    assert (
        rows.select("DeviceId", "ReportId").is_duplicated().any() or rows["ReportId"].max() < 2501
    )
    assert full.tables["DeviceInfo"]["ReportId"].min() > 2**53


def test_paths_differ_between_hunting_and_evidence(full: Tenant) -> None:
    """Hunting paths end in the file's name, evidence has the directory only."""
    rows = full.tables["DeviceProcessEvents"].filter(pl.col("FileName") != "broken.exe")
    shown = [item["imageFile"] for item in evidence(full, "processEvidence")]
    files = [file for file in shown if file["fileName"]]

    assert files
    assert rows.select(pl.col("FolderPath").str.ends_with(pl.col("FileName")).all()).item()
    assert not any(file["filePath"].endswith(file["fileName"]) for file in files)


def test_evidence_has_keys_that_are_none(full: Tenant) -> None:
    """Sentinel times, pid 0, missing times, missing pids and missing device ids occur."""
    items = evidence(full, "processEvidence")
    times = {str(item["processCreationDateTime"])[:4] for item in items}

    assert times & {"0001", "1601"}
    assert any(item["processId"] == 0 for item in items)
    assert any(item["processCreationDateTime"] is None and item["processId"] for item in items)
    assert any(item["processId"] is None and item["processCreationDateTime"] for item in items)
    assert any(item["mdeDeviceId"] is None for item in items)
    assert any(str(item["mdeDeviceId"]).isupper() for item in items)


@pytest.mark.parametrize(
    "kind",
    ["deviceEvidence", "fileEvidence", "userEvidence", "ipEvidence", "urlEvidence",
     "registryKeyEvidence", "registryValueEvidence", "cloudApplicationEvidence", "mailboxEvidence",
     "lunarRelayEvidence"],
)  # fmt: skip
def test_evidence_of_many_types_occurs(full: Tenant, kind: str) -> None:
    """Known types occur, rare ones, and one that nobody has heard of."""
    assert evidence(full, kind)


def test_some_alerts_name_no_process(full: Tenant) -> None:
    """Custom detections have a device only, and some alerts have no evidence at all."""
    custom = [alert for alert in full.alerts if str(alert["id"]).startswith("ed")]

    assert custom
    assert all("processEvidence" not in json.dumps(alert["evidence"]) for alert in custom)
    assert any(alert["evidence"] == [] for alert in full.alerts)


def test_alerts_share_update_times_and_one_a_day_has_lost_its_id(full: Tenant) -> None:
    """Ties of lastUpdateDateTime occur, and malformed alerts do."""
    updates = [alert["lastUpdateDateTime"] for alert in full.alerts if alert["id"]]

    assert len(updates) - len(set(updates)) >= 6
    assert sum(alert["id"] == "" for alert in full.alerts) == 3


def test_some_rows_are_impossible(full: Tenant) -> None:
    """Ports out of range and negative pids occur on every day."""
    ports = full.tables["DeviceNetworkEvents"]["RemotePort"]

    assert (ports == 70_001).sum() == 3
    assert (ports == -1).sum() == 3
    assert (full.tables["DeviceProcessEvents"]["ProcessId"] == -5).sum() == 3


@pytest.mark.parametrize("text", ["<script>", "\u200b", "\r\n", 'x" | take 0 //', "=cmd|"])
def test_command_lines_are_hostile(full: Tenant, text: str) -> None:
    """Markup, invisible characters, line ends, query text and formulas occur."""
    lines = full.tables["DeviceProcessEvents"]["ProcessCommandLine"]

    assert lines.str.contains(text, literal=True).any()


def test_processes_of_alert_evidence_rows_are_text_with_references(full: Tenant) -> None:
    """AlertEvidence hides pid and time in AdditionalFields and the host behind a reference."""
    rows = full.tables["AlertEvidence"].filter(EntityType="Process")
    fields = [json.loads(text) for text in rows["AdditionalFields"]]

    assert rows["DeviceId"].null_count() == len(rows)
    assert all(isinstance(one["ProcessId"], str | None) for one in fields)
    assert all(one["Host"] == {"$ref": one["ImageFile"]["Host"]["$id"]} for one in fields)
