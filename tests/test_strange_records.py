"""A run over records that no schema foretells: nothing is lost, everything strange is named."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from runs import environment, generous, run, table

from etl.sandbox import Sandbox, Tenant
from etl.sandbox.exotica import every_type

PREFIX = "#microsoft.graph.security."
TYPES = 48

STRANGE = {
    "made-up type": ("AlertEvidence", "type", "moonRockEvidence"),
    "process without a file": ("AlertEvidence", "missing", "processEvidence.imageFile"),
    "user without an account": ("AlertEvidence", "missing", "userEvidence.userAccount"),
    "null among evidence": ("Alerts", "shape", "alert.evidence[]:null"),
    "text for a pid": ("AlertEvidence", "shape", "processEvidence.processId:text"),
    "no evidence key": ("Alerts", "missing", "alert.evidence"),
    "evidence is one object": ("Alerts", "shape", "alert.evidence:object"),
    "unknown field": ("Alerts", "field", "alert.moonPhase"),
    "unknown severity": ("Alerts", "value", "alert.severity=apocalyptic"),
    "unknown service": ("Alerts", "value", "alert.serviceSource=moonDefender"),
}
"""What is done to an alert each, and how ops/SchemaDrift is to name it."""

OF_THE_TENANT = ("AlertEvidence", "type", "lunarRelayEvidence")
"""What every generated tenant has that the schema has not."""

OF_TELEMETRY = {
    ("DeviceProcessEvents", "field", "DeviceProcessEvents.FutureColumn"),
    ("DeviceNetworkEvents", "missing", "DeviceNetworkEvents.RemoteIPType"),
    ("DeviceFileEvents", "shape", "DeviceFileEvents.FileSize:text"),
    ("DeviceLogonEvents", "shape", "DeviceLogonEvents.IsLocalAdmin:text"),
    ("DeviceEvents", "shape", "DeviceEvents.ProcessId:text"),
}
"""What the sandbox does to the columns of telemetry where they drift."""

MATCHED = ("process without a file", "text for a pid", "evidence is one object")
"""Of these the process has a key and telemetry, strange as its record is."""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """The tenant as it was served, by what was done the alert and a process of it, and the run."""

    tenant: Tenant
    alerts: dict[str, dict[str, Any]]
    pids: dict[str, int]
    lake: Path
    result: dg.ExecuteInProcessResult

    def of(self, layer: str, name: str, strange: str) -> pl.DataFrame:
        """Return the rows of a table about one of the strange alerts."""
        return table(self.lake, layer, name).filter(AlertId=self.alerts[strange]["id"])


def estranged(tenant: Tenant) -> tuple[dict[str, dict[str, Any]], dict[str, int]]:
    """Do to an alert each what `STRANGE` says, and give one more every type of evidence.

    Returns the alerts, and the pid of a known process that each of them names.
    """
    candidates = _with_a_known_process(tenant)
    chosen: dict[str, Any] = {}
    keys: dict[str, dict[str, Any]] = {}
    for name in (*STRANGE, "every type"):
        chosen[name], keys[name] = next(candidates)
    pids = {name: key["processId"] for name, key in keys.items()}
    chosen["made-up type"]["evidence"].append(_item("moonRockEvidence", height=3, of={"a": [1]}))
    keys["process without a file"]["imageFile"] = None
    chosen["user without an account"]["evidence"].append(_item("userEvidence", userAccount=None))
    chosen["null among evidence"]["evidence"].append(None)
    keys["text for a pid"]["processId"] = str(keys["text for a pid"]["processId"])
    del chosen["no evidence key"]["evidence"]
    chosen["evidence is one object"]["evidence"] = keys["evidence is one object"]
    chosen["unknown field"]["moonPhase"] = "full"
    chosen["unknown severity"]["severity"] = "apocalyptic"
    chosen["unknown service"]["serviceSource"] = "moonDefender"
    chosen["every type"]["evidence"] = every_type(chosen["every type"]["createdDateTime"])
    return chosen, pids


def _with_a_known_process(tenant: Tenant) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield alerts that name a process which is in the telemetry, each with that item."""
    known = tenant.truth.filter(
        "UsableKey", "HasTelemetry", "HasCreationRow", ~pl.col("Case").str.contains("exec_chain")
    )
    pids = dict(known.select("AlertId", "ProcessId").iter_rows())
    for alert in tenant.alerts:
        for item in alert["evidence"]:
            if alert["id"] in pids and item.get("processId") == pids[alert["id"]]:
                yield alert, item
                break


def _item(kind: str, **fields: object) -> dict[str, object]:
    """Return an item of evidence."""
    return {"@odata.type": PREFIX + kind, "createdDateTime": "2026-01-02T03:04:05Z", **fields}


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    """Run over a tenant with strange alerts and strange telemetry."""
    tenant = Tenant.generate(seed=12, scale=0.1, days=1)
    alerts, pids = estranged(tenant)
    lake = tmp_path_factory.mktemp("lake")
    with Sandbox(tenant, faults=generous(drift=1)) as sandbox:
        return Aftermath(tenant, alerts, pids, lake, run(environment(sandbox, lake), tenant))


def test_the_run_succeeds(after: Aftermath) -> None:
    """No step fails, and no check that is more than a warning."""
    grave = [
        check
        for check in after.result.get_asset_check_evaluations()
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR
    ]

    assert after.result.success
    assert grave == []


def test_every_alert_has_its_row(after: Aftermath) -> None:
    """Every alert that has an id is published, those without evidence as well."""
    sent = sorted(alert["id"] for alert in after.tenant.alerts if alert["id"])

    assert sorted(table(after.lake, "core", "Alerts")["AlertId"]) == sent
    assert after.of("core", "AlertEvidence", "no evidence key").is_empty()


def test_every_item_has_its_row_or_is_turned_away(after: Aftermath) -> None:
    """Each item is in core/AlertEvidence as it was sent, or in the quarantine."""
    rows = table(after.lake, "core", "AlertEvidence").select("AlertId", "Raw")
    told: dict[str, list[object]] = {}
    for alert, raw in rows.iter_rows():
        told.setdefault(alert, []).append(json.loads(raw))
    rejected = table(after.lake, "ops", "Quarantine").filter(Table="AlertEvidence")
    missing = [
        item
        for alert in after.tenant.alerts
        if alert["id"]
        for item in _listed(alert)
        if item not in told[alert["id"]]
    ]

    assert sum(map(len, told.values())) > 100
    assert missing == [None]
    assert rejected.height == 1
    assert "null" in rejected["Detail"].item()


def _listed(alert: dict[str, Any]) -> list[object]:
    """Return the items of an alert."""
    evidence = alert.get("evidence") or []
    return evidence if isinstance(evidence, list) else [evidence]


@pytest.mark.parametrize("strange", STRANGE)
def test_what_is_strange_is_named(strange: str, after: Aftermath) -> None:
    """Each strange thing has its row in ops/SchemaDrift, seen once."""
    where, kind, name = STRANGE[strange]
    found = table(after.lake, "ops", "SchemaDrift").filter(Table=where, Kind=kind, Name=name)

    assert found["Count"].to_list() == [1]


def test_nothing_else_is_called_strange(after: Aftermath) -> None:
    """What Microsoft documents is no drift, whatever its type."""
    drift = table(after.lake, "ops", "SchemaDrift").select("Table", "Kind", "Name")

    assert set(drift.iter_rows()) == {*STRANGE.values(), OF_THE_TENANT, *OF_TELEMETRY}


def test_drift_is_a_warning(after: Aftermath) -> None:
    """The check of ops/SchemaDrift warns and names what was found; it does not fail the run."""
    (check,) = [
        check
        for check in after.result.get_asset_check_evaluations()
        if check.asset_key.to_user_string() == "ops/SchemaDrift" and check.check_name == "expected"
    ]

    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert all(name in str(check.metadata["rows"]) for _, _, name in STRANGE.values())


def test_every_documented_type_has_a_row(after: Aftermath) -> None:
    """An alert with all types of evidence has a row of each, matched or with a reason."""
    items = after.of("core", "AlertEvidence", "every type")
    listed = items.filter(pl.col("ParentEvidenceId").is_null())
    nested = items.filter(pl.col("ParentEvidenceId").is_not_null())
    correlated = after.of("mart", "AlertCorrelation", "every type")

    assert listed.height == listed["EvidenceType"].n_unique() == TYPES
    assert nested.height > 0
    assert set(nested["ParentEvidenceId"]) <= set(items["EvidenceId"])
    assert sorted(correlated["EvidenceId"]) == sorted(items["EvidenceId"])
    assert correlated.filter(MatchTier="none")["Reason"].null_count() == 0


def test_drift_of_telemetry_is_a_warning(after: Aftermath) -> None:
    """The check of a table whose columns drift warns, and names the column."""
    told = {
        check.asset_key.path[-1]: str(check.metadata["rows"])
        for check in after.result.get_asset_check_evaluations()
        if check.asset_key.path[0] == "hunting" and check.check_name == "expected"
        if not check.passed and check.severity == dg.AssetCheckSeverity.WARN
    }

    assert {(where, name) for where, _, name in OF_TELEMETRY if name in told[where]} == {
        (where, name) for where, _, name in OF_TELEMETRY
    }


def test_new_columns_of_telemetry_are_kept(after: Aftermath) -> None:
    """A column that nobody declared is there, one that is gone is null in every row."""
    processes = table(after.lake, "hunting", "DeviceProcessEvents")
    network = table(after.lake, "hunting", "DeviceNetworkEvents")

    assert processes["FutureColumn"].to_list() == [
        f"future {number}" for number in processes["ReportId"]
    ]
    assert network.height == network["RemoteIPType"].null_count() > 0


def test_values_of_another_type_are_read_or_turned_away(after: Aftermath) -> None:
    """Numbers and flags as text are read; what is none is in the quarantine with its rule."""
    files = table(after.lake, "hunting", "DeviceFileEvents")
    logons = table(after.lake, "hunting", "DeviceLogonEvents")
    served = after.tenant.tables["DeviceFileEvents"]
    rejected = table(after.lake, "ops", "Quarantine").filter(Table="DeviceEvents")

    assert files["FileSize"].drop_nulls().len() > 0
    assert set(files["FileSize"]) <= set(served["FileSize"])
    assert set(logons["IsLocalAdmin"].drop_nulls()) == {True, False}
    assert rejected.height == len(after.tenant.malformed) > 0
    assert set(rejected["Rule"]) == {"readable as the column's type"}
    assert set(rejected["Detail"]) == {"ProcessId is 12a"}


@pytest.mark.parametrize("strange", MATCHED)
def test_a_strange_process_is_matched_all_the_same(strange: str, after: Aftermath) -> None:
    """A process with a key is tied to its events, whatever else is odd about its record."""
    pid = after.pids[strange]
    (known,) = after.tenant.truth.filter(
        "UsableKey", AlertId=after.alerts[strange]["id"], ProcessId=pid
    )["ProcessCreationTicks"]
    found = after.of("mart", "AlertCorrelation", strange).filter(ProcessId=pid)
    events = after.of("mart", "CorrelatedAlerts", strange)

    assert found["MatchedProcessCreationTicks"].to_list() == [known]
    assert found["Reason"].to_list() == [None]
    assert set(found["EvidenceId"]) <= set(events["EvidenceId"])
