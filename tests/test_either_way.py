"""One tenant by Graph and by Defender for Endpoint's own APIs: the same matches, and what differs.

Every difference that the APIs force has its test here; what none of them names is equal.
"""

from dataclasses import dataclass
from pathlib import Path
from random import Random

import dagster as dg
import polars as pl
import pytest
from runs import environment, generous, run, table

from etl.contracts.hunting import ALERT_TABLES, EVENT_TABLES
from etl.sandbox import Sandbox, Tenant
from etl.sandbox.exotica import handful

PROVENANCE = {"IngestedAt", "SourceRequestId"}
ITEM = ("AlertId", "EvidenceId")
EVENT = (*ITEM, "EventTable", "EventId")
MATCH = (*ITEM, "MatchTier", "MatchedProcessCreationTicks", "Reason")
KNOWN_TYPES = {
    "processEvidence", "fileEvidence", "userEvidence", "ipEvidence", "urlEvidence",
    "registryKeyEvidence", "registryValueEvidence", "deviceEvidence",
}  # fmt: skip
WITHOUT_GRAPH_HUNTING = (
    "Alert.Read.All", "Machine.Read.All", "File.Read.All", "Ip.Read.All", "URL.Read.All",
    "User.Read.All", "AdvancedQuery.Read.All",
)  # fmt: skip
ENDING = "ends on 2027-02-01"


@dataclass(frozen=True, slots=True)
class Made:
    """A lake, and the run that made it."""

    lake: Path
    result: dg.ExecuteInProcessResult

    def of(self, layer: str, name: str) -> pl.DataFrame:
        """Read a table without what says when."""
        return table(self.lake, layer, name).drop(PROVENANCE, strict=False)

    def doubts(self, key: str) -> str:
        """Return what the check `expected` of a table says, where it warns."""
        found = [
            check
            for check in self.result.get_asset_check_evaluations()
            if check.asset_key.to_user_string() == key and check.check_name == "expected"
        ]
        assert {check.severity for check in found} == {dg.AssetCheckSeverity.WARN}
        return "".join(str(check.metadata.get("rows")) for check in found if not check.passed)


@pytest.fixture(scope="module")
def own() -> Tenant:
    """Return a tenant; one of its endpoint alerts has items that the older API does not know."""
    made = Tenant.generate(seed=6, scale=0.1, days=1)
    alert = next(one for one in made.alerts if str(one["id"]).startswith("da") and one["evidence"])
    alert["evidence"] += handful(Random(1), alert["createdDateTime"])
    return made


@pytest.fixture(scope="module")
def by_graph(own: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Run with alerts from Graph."""
    lake = tmp_path_factory.mktemp("graph")
    with Sandbox(own, faults=generous()) as sandbox:
        return Made(lake, run(environment(sandbox, lake), own))


@pytest.fixture(scope="module")
def by_mde(own: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Run with alerts from Defender for Endpoint."""
    lake = tmp_path_factory.mktemp("mde")
    with Sandbox(own, faults=generous()) as sandbox:
        return Made(lake, run(environment(sandbox, lake, DEFENDER_ALERTS="mde"), own))


@pytest.fixture(scope="module")
def without_graph(own: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Run with alerts and telemetry from Defender for Endpoint, as nothing else is granted."""
    lake = tmp_path_factory.mktemp("without-graph")
    with Sandbox(own, faults=generous(roles=WITHOUT_GRAPH_HUNTING)) as sandbox:
        return Made(lake, run(environment(sandbox, lake, DEFENDER_ALERTS="mde"), own))


def shared(one: pl.DataFrame, other: pl.DataFrame, key: tuple[str, ...]) -> list[pl.DataFrame]:
    """Return the rows that both have by their key, in one order."""
    return [a.join(b, on=key, how="semi").sort(key) for a, b in ((one, other), (other, one))]


def unlike(one: pl.DataFrame, other: pl.DataFrame) -> set[str]:
    """Return the columns in which rows of one order differ."""
    assert one.height == other.height > 0
    return {name for name in one.columns if not one[name].equals(other[name], null_equal=True)}


def lacking(one: Made, other: Made, layer: str, name: str, key: tuple[str, ...]) -> pl.DataFrame:
    """Return the rows that only the first lake has, of the alerts that both have."""
    both = other.of("core", "Alerts").select("AlertId")
    rows = one.of(layer, name).join(both, on="AlertId", how="semi")
    return rows.join(other.of(layer, name), on=key, how="anti")


def test_either_way_succeeds(by_graph: Made, by_mde: Made) -> None:
    """Both runs succeed with nothing missing."""
    for made in (by_graph, by_mde):
        checks = made.result.get_asset_check_evaluations()

        assert made.result.success
        assert not [c for c in checks if c.check_name == "complete" and not c.passed]


def alike(rows: pl.DataFrame, by_graph: Made, by_mde: Made) -> pl.DataFrame:
    """Return rows without those of items that the two APIs do not show alike.

    Those looked for on devices of the alert that only Graph names; registry values, by their name.
    """
    others = lacking(by_graph, by_mde, "core", "AlertDevices", ("AlertId", "DeviceId"))
    elsewhere = pl.col("AlertId").is_in(others["AlertId"].to_list())
    return rows.filter(
        ~elsewhere | (pl.col("EntityType") == "Process"), pl.col("EntityType") != "RegistryValue"
    )


def test_matches_are_the_same(by_graph: Made, by_mde: Made) -> None:
    """Evidence that both APIs have is tied to the same processes, or not for the same reason."""
    correlated = [
        alike(made.of("mart", "AlertCorrelation"), by_graph, by_mde) for made in (by_graph, by_mde)
    ]
    one, other = shared(*correlated, ITEM)

    assert one.select(MATCH).equals(other.select(MATCH))
    assert unlike(one, other) == set()
    assert {"exact", "none"} < set(one["MatchTier"])


def test_events_are_the_same(by_graph: Made, by_mde: Made) -> None:
    """The events of the alerts that both have are the same ones, in every column."""
    correlated = [made.of("mart", "CorrelatedAlerts") for made in (by_graph, by_mde)]
    one, other = shared(*correlated, EVENT)

    assert unlike(one, other) == set()
    for mine, theirs in ((by_graph, by_mde), (by_mde, by_graph)):
        only = lacking(mine, theirs, "mart", "CorrelatedAlerts", EVENT)
        assert alike(only, by_graph, by_mde).is_empty()


def test_alerts_of_other_products_are_not_to_be_had(by_graph: Made, by_mde: Made) -> None:
    """The older API has the alerts of Defender for Endpoint and custom detections, no others."""
    graph, mde = (made.of("core", "Alerts") for made in (by_graph, by_mde))
    others = graph.join(mde, on="AlertId", how="anti")

    assert others.height > 0
    assert "Microsoft Defender for Endpoint" not in set(others["ServiceSource"])
    assert set(mde["AlertId"]) < set(graph["AlertId"])
    assert mde["AlertId"].str.contains("^(da|ed)").all()
    assert others["AlertId"].str.contains("^(da|ed)").any() is False


def test_an_alert_has_one_category(by_graph: Made, by_mde: Made) -> None:
    """The older API names one category an alert; all else in an alert is the same."""
    graph, mde = shared(by_graph.of("core", "Alerts"), by_mde.of("core", "Alerts"), ("AlertId",))

    assert unlike(graph, mde) == {"AlertSource", "ContentHash", "Categories"}
    assert graph["Categories"].list.head(1).equals(mde["Categories"])


def test_an_alert_has_one_device(by_graph: Made, by_mde: Made) -> None:
    """The older API names the first device of an alert, and not the address it has outside."""
    key = ("AlertId", "DeviceId")
    graph, mde = (made.of("core", "AlertDevices") for made in (by_graph, by_mde))
    others = lacking(by_graph, by_mde, "core", "AlertDevices", key)

    assert unlike(*shared(graph, mde, key)) == {"PublicIP"}
    assert mde["PublicIP"].null_count() == mde.height
    assert others.height > 0
    assert set(others["AlertId"]) <= set(mde["AlertId"])
    assert not mde["AlertId"].is_duplicated().any()
    assert lacking(by_mde, by_graph, "core", "AlertDevices", key).is_empty()


def test_evidence_that_is_not_to_be_had(by_graph: Made, by_mde: Made) -> None:
    """Only further devices, rarer types with what they hold, and values' names are lacking."""
    lost = lacking(by_graph, by_mde, "core", "AlertEvidence", ITEM)
    listed = lost.filter(pl.col("ParentEvidenceId").is_null())
    devices = listed.filter(EvidenceType="deviceEvidence")
    values = lost.filter(EvidenceType="registryValueEvidence")
    known = by_mde.of("core", "AlertDevices").select("AlertId", "DeviceId")
    rare = lost.filter(
        ~pl.col("EvidenceType").is_in(KNOWN_TYPES) | pl.col("ParentEvidenceId").is_not_null()
    )

    assert rare.height > 0
    assert devices.height > 0
    assert devices.join(known, on=["AlertId", "DeviceId"], how="semi").is_empty()
    assert values.height > 0
    assert values["RegistryValueName"].null_count() == 0
    assert lost.height == rare.height + devices.height + values.height


def test_registry_values_have_no_name(by_graph: Made, by_mde: Made) -> None:
    """A registry value is the same key and data by either way, and nameless by the older API."""
    told = ["AlertId", "RegistryKey", "RegistryValueData"]
    lost = lacking(by_graph, by_mde, "core", "AlertEvidence", ITEM)
    gained = lacking(by_mde, by_graph, "core", "AlertEvidence", ITEM)
    values = lost.filter(EvidenceType="registryValueEvidence").select(told)

    assert set(gained["EvidenceType"]) == {"registryValueEvidence"}
    assert gained["RegistryValueName"].null_count() == gained.height
    assert gained.select(told).sort(told).equals(values.sort(told))


def test_what_evidence_lacks(by_graph: Made, by_mde: Made) -> None:
    """Items have no verdict, remediation, roles or file size; of their device they have the id."""
    graph, mde = shared(
        by_graph.of("core", "AlertEvidence"), by_mde.of("core", "AlertEvidence"), ITEM
    )
    never = ["Verdict", "RemediationStatus", "FileSize", "LocalIP"]
    away = graph["DeviceId"].ne_missing(mde["DeviceId"])
    dated = graph["Timestamp"].ne_missing(mde["Timestamp"])

    assert unlike(graph, mde) == {*never, "Roles", "Raw", "Categories", "Timestamp", "DeviceId"}
    assert all(mde[name].null_count() == mde.height for name in never)
    assert mde["Roles"].list.len().max() == 0
    assert set(graph.filter(dated)["EvidenceType"]) == {"deviceEvidence"}
    assert graph.filter(away)["DeviceId"].null_count() == away.sum() > 0
    assert mde["DeviceId"].null_count() < graph["DeviceId"].null_count()


def test_what_is_turned_away_or_unknown(by_graph: Made, by_mde: Made) -> None:
    """A type that nobody knows and an alert without an id do not come by the older API."""
    turned_away = [set(made.of("ops", "Quarantine")["Table"]) for made in (by_graph, by_mde)]
    drift = [set(made.of("ops", "SchemaDrift")["Name"]) for made in (by_graph, by_mde)]

    assert turned_away[0] - turned_away[1] == {"AlertVersions"}
    assert drift == [{"lunarRelayEvidence"}, set()]


def test_nothing_is_missing_by_either_way(by_graph: Made, by_mde: Made) -> None:
    """Reconciliation counts alerts of other products as none of the older API's business."""
    accounts = [made.of("ops", "AlertReconciliation") for made in (by_graph, by_mde)]
    alerts = [made.of("core", "Alerts") for made in (by_graph, by_mde)]

    for account, held in zip(accounts, alerts, strict=True):
        assert account["Missing"].null_count() == account.height
        assert sorted(account["AlertId"]) == sorted(held["AlertId"])


@pytest.mark.parametrize("name", EVENT_TABLES)
def test_telemetry_is_of_fewer_devices(name: str, by_graph: Made, by_mde: Made) -> None:
    """Events are pulled around what the alerts name; there is none that Graph's way lacks."""
    graph, mde = (made.of("hunting", name) for made in (by_graph, by_mde))

    assert mde.join(graph, on=["EventId"], how="anti").is_empty()
    assert set(mde["DeviceId"]) <= set(by_mde.of("core", "AlertDevices")["DeviceId"])
    assert 0 < mde.height <= graph.height


def test_the_older_hunting_api_does_without_graph(without_graph: Made) -> None:
    """Without the permission for Graph's hunting the run succeeds, and says until when."""
    checks = without_graph.result.get_asset_check_evaluations()

    assert without_graph.result.success
    assert not [c for c in checks if c.check_name == "complete" and not c.passed]
    for name in EVENT_TABLES:
        assert ENDING in without_graph.doubts(f"raw/{name}")


def test_hunting_by_graph_says_nothing_of_an_end(by_mde: Made) -> None:
    """Where Graph's hunting answers, there is nothing to be expected otherwise."""
    assert [by_mde.doubts(f"raw/{name}") for name in EVENT_TABLES] == [""] * len(EVENT_TABLES)


def test_what_hunting_says_of_alerts_is_a_doubt(without_graph: Made) -> None:
    """The older API has no tables about alerts; that is told, and nothing fails for it."""
    for name in ALERT_TABLES:
        assert name in without_graph.doubts(f"raw/{name}")
        assert without_graph.of("hunting", name).is_empty()


def test_matches_by_the_older_hunting_api(by_mde: Made, without_graph: Made) -> None:
    """Matches are those by Graph's hunting, except for keys that only its own tables know."""
    items = by_mde.of("core", "AlertEvidence")
    filled = items.filter(KeySource="hunting").select(ITEM)
    with_graph, without = (
        made.of("mart", "AlertCorrelation").sort(ITEM) for made in (by_mde, without_graph)
    )
    kept = [rows.join(filled, on=ITEM, how="anti") for rows in (with_graph, without)]
    lost = without.join(filled, on=ITEM, how="semi")
    events = [
        made.of("mart", "CorrelatedAlerts").join(filled, on=ITEM, how="anti").sort(EVENT)
        for made in (by_mde, without_graph)
    ]

    assert unlike(*kept) == set()
    assert unlike(*events) == set()
    assert filled.height > 0
    assert lost.height == filled.height
    assert set(lost["MatchTier"]) <= {"pivot", "none"}
    assert set(lost["Reason"]) <= {"no_usable_key", None}
