"""The truth about what alerts name without a process key: complete, and borne out by the tables."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from etl.sandbox import Tenant, moments
from etl.sandbox.literals import instant

KINDS = ("file", "ip", "url", "registry_key", "registry_value", "account", "device")
NAMING = {
    "fileEvidence": "file", "ipEvidence": "ip", "urlEvidence": "url",
    "registryKeyEvidence": "registry_key", "registryValueEvidence": "registry_value",
    "userEvidence": "account",
}  # fmt: skip


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    """Return a tenant of ordinary size."""
    return Tenant.generate(seed=7, scale=1.0, days=3)


@pytest.fixture(scope="module")
def told(tenant: Tenant) -> dict[str, dict[str, Any]]:
    """Return the alerts by id."""
    return {str(alert["id"]): alert for alert in tenant.alerts if alert["id"]}


def kinds_of(alert: dict[str, Any]) -> list[str]:
    """Return the types of an alert's items, without their prefix."""
    return [item["@odata.type"].rpartition(".")[2] for item in alert["evidence"]]


def activity(alert: dict[str, Any]) -> tuple[int, int]:
    """Return the first and the last tick of an alert's activity."""
    first, last = (str(alert[f"{name}ActivityDateTime"]) for name in ("first", "last"))
    return instant(first) + moments.UNIX_EPOCH, instant(last) + moments.UNIX_EPOCH


def rows_of(tenant: Tenant, targets: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of tables that targets point to, with whose targets they are."""
    parts = [
        found.join(
            tenant.tables[str(table)].with_columns(TimestampTicks="Timestamp"),
            on=["DeviceId", "TimestampTicks", "ReportId"],
        )
        for (table,), found in targets.group_by("EventTable")
    ]
    return pl.concat(parts, how="diagonal")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_target_and_has_none(tenant: Tenant, kind: str) -> None:
    """Things of each kind are seen near their alert, and are seen nowhere."""
    found = tenant.truth_pivots.filter(Kind=kind)

    assert set(found["HasTarget"]) == {True, False}
    assert not found.filter("HasWideTarget").is_empty()
    assert not found.filter(~pl.col("HasWideTarget")).is_empty()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "device"])
def test_some_things_are_only_seen_hours_away(tenant: Tenant, kind: str) -> None:
    """The near window finds nothing of them, the wide one does."""
    found = tenant.truth_pivots.filter("HasWideTarget", ~pl.col("HasTarget"), Kind=kind)

    assert not found.is_empty()


def test_what_is_near_is_within_the_wide_window(tenant: Tenant) -> None:
    """No item has a near target without having a wide one."""
    assert tenant.truth_pivots.filter("HasTarget", ~pl.col("HasWideTarget")).is_empty()


def test_every_item_that_names_something_has_its_row(
    tenant: Tenant, told: dict[str, dict[str, Any]]
) -> None:
    """Each such item has one row; a device only where its alert names devices and people alone."""
    named = tenant.truth.select("AlertId", "EvidenceIndex", "UsableKey", "HiddenKey").rows()
    usable = {(alert, index): key or hidden for alert, index, key, hidden in named}
    wanted: set[tuple[str, int, str]] = set()
    for identity, alert in told.items():
        kinds = kinds_of(alert)
        for index, kind in enumerate(kinds):
            if kind in NAMING:
                wanted.add((identity, index, NAMING[kind]))
            if kind == "processEvidence" and not usable[identity, index]:
                wanted.add((identity, index, "file"))
            if kind == "deviceEvidence" and set(kinds) <= {"deviceEvidence", "userEvidence"}:
                wanted.add((identity, index, "device"))

    assert set(tenant.truth_pivots.select("AlertId", "EvidenceIndex", "Kind").rows()) == wanted
    assert len(tenant.truth_pivots) == len(wanted)


def test_targets_are_those_of_items_that_have_one(tenant: Tenant) -> None:
    """HasTarget says whether there are targets, and none is told twice."""
    key = ["AlertId", "EvidenceIndex"]
    has = tenant.truth_pivots.filter("HasTarget").select(key)

    assert set(has.rows()) == set(tenant.truth_targets.select(key).rows())
    assert not tenant.truth_targets.is_duplicated().any()


def test_targets_are_rows_near_the_activity(
    tenant: Tenant, told: dict[str, dict[str, Any]]
) -> None:
    """Each target is one row of its table, within an hour of what its alert says."""
    targets = tenant.truth_targets

    assert len(rows_of(tenant, targets)) == len(targets)
    for identity, ticks in targets.select("AlertId", "TimestampTicks").rows():
        first, last = activity(told[identity])
        assert first - moments.HOUR <= ticks <= last + moments.HOUR


def test_targets_are_on_the_devices_that_alerts_name(
    tenant: Tenant, told: dict[str, dict[str, Any]]
) -> None:
    """Only an alert that names no device has targets on others than those of its machines."""
    anywhere = 0
    merged = tenant.tables["DeviceInfo"].select("DeviceId", "MergedToDeviceId").drop_nulls()
    pairs = {*merged.rows(), *(pair[::-1] for pair in merged.rows())}
    for identity, device in tenant.truth_targets.select("AlertId", "DeviceId").unique().rows():
        named = {str(item.get("mdeDeviceId") or "") for item in told[identity]["evidence"]}
        devices = {one.lower() for one in named if one}
        anywhere += not devices
        aliases = {other for one, other in pairs if one in devices}
        assert device in devices | aliases or not devices

    assert anywhere


@pytest.mark.parametrize(
    ("kind", "column", "named"),
    [
        ("ip", "RemoteIP", lambda item: item["ipAddress"]),
        ("registry_value", "RegistryValueName", lambda item: item["registryValueName"]),
        ("account", "AccountName", lambda item: item["userAccount"]["accountName"]),
    ],
)
def test_targets_show_what_the_item_names(
    tenant: Tenant,
    told: dict[str, dict[str, Any]],
    kind: str,
    column: str,
    named: Callable[[dict[str, Any]], str],
) -> None:
    """The rows have the address, the value's name or the account of the item."""
    items = tenant.truth_pivots.filter(Kind=kind).select("AlertId", "EvidenceIndex")
    rows = rows_of(tenant, tenant.truth_targets.join(items, on=["AlertId", "EvidenceIndex"]))

    assert len(rows)
    for row in rows.select("AlertId", "EvidenceIndex", column).rows(named=True):
        item = told[row["AlertId"]]["evidence"][row["EvidenceIndex"]]
        assert row[column].lower() == named(item).lower()


def test_files_are_targets_as_subject_and_as_initiator(tenant: Tenant) -> None:
    """A file is what an event is about, or the image of the process that caused it."""
    items = tenant.truth_pivots.filter(Kind="file").select("AlertId", "EvidenceIndex")
    rows = rows_of(tenant, tenant.truth_targets.join(items, on=["AlertId", "EvidenceIndex"]))

    assert set(rows["Role"]) == {"subject", "initiator"}
    assert "DeviceProcessEvents" in set(rows.filter(Role="subject")["EventTable"])
    assert "DeviceFileEvents" in set(rows.filter(Role="subject")["EventTable"])


def test_some_registry_rows_show_whose_hive_it_is(tenant: Tenant) -> None:
    """The key of an item is found though its rows have a SID after the hive."""
    items = tenant.truth_pivots.filter(pl.col("Kind").str.starts_with("registry"))
    rows = rows_of(
        tenant, tenant.truth_targets.join(items.select("AlertId", "EvidenceIndex"),
                                          on=["AlertId", "EvidenceIndex"])
    )  # fmt: skip

    assert rows["RegistryKey"].str.starts_with("HKEY_CURRENT_USER\\S-1-5-21-").any()
    assert rows["RegistryKey"].str.starts_with("HKEY_CURRENT_USER\\SOFTWARE").any()


def test_some_things_are_known_by_path_or_name_alone(
    tenant: Tenant, told: dict[str, dict[str, Any]]
) -> None:
    """Files without a hash and accounts without a SID and domain occur, some with a target."""
    known = tenant.truth_pivots.filter("HasTarget").select("AlertId", "EvidenceIndex").rows()
    items = [told[alert]["evidence"][index] for alert, index in known]

    assert any("fileDetails" in one and one["fileDetails"]["sha1"] is None for one in items)
    assert any(
        "userAccount" in one
        and one["userAccount"]["userSid"] is one["userAccount"]["domainName"] is None
        for one in items
    )


def test_an_old_process_is_found_nowhere_near_its_alert(
    tenant: Tenant, told: dict[str, dict[str, Any]]
) -> None:
    """A long-running process has its creation row days before, and a child hours after."""
    for row in tenant.truth.filter(Case="long_running").rows(named=True):
        first, last = activity(told[row["AlertId"]])
        own = tenant.truth_events.filter(
            DeviceId=row["DeviceId"], ProcessId=row["ProcessId"],
            ProcessCreationTicks=row["ProcessCreationTicks"],
        )  # fmt: skip
        times = {one["Role"]: one["TimestampTicks"] for one in own.rows(named=True)}

        assert row["UsableKey"]
        assert row["HasCreationRow"]
        assert times["subject"] < first - 5 * moments.DAY
        assert times["initiator"] > last + 8 * moments.HOUR


def test_a_process_has_relatives_far_away_in_time(
    tenant: Tenant, told: dict[str, dict[str, Any]]
) -> None:
    """Parents were created days before the alert, children and theirs start hours after it."""
    (row,) = tenant.truth.filter(Case="far_relatives").rows(named=True)
    created = tenant.tables["DeviceProcessEvents"].filter(DeviceId=row["DeviceId"])
    times = dict(created.select("FileName", "Timestamp").rows())
    first, last = activity(told[row["AlertId"]])

    assert times["hostsvc.exe"] < times["runner.exe"] < first - 2 * moments.DAY
    assert last + 6 * moments.HOUR < times["helper.exe"] < times["uploader.exe"]


def test_unreadable_rows_are_two_and_known(tenant: Tenant) -> None:
    """The rows that drift makes unreadable are in DeviceEvents and near an alert."""
    keys = tenant.malformed.rename({"TimestampTicks": "Timestamp"})
    rows = tenant.tables["DeviceEvents"].join(keys, on=["DeviceId", "Timestamp", "ReportId"])

    assert len(rows) == len(tenant.malformed) == 2
    assert set(tenant.malformed["EventTable"]) == {"DeviceEvents"}


def test_nothing_is_true_of_given_alerts(tenant: Tenant) -> None:
    """A tenant of given alerts has empty frames with the same columns."""
    bare = Tenant.of(tenant.alerts)

    assert bare.truth_pivots.is_empty()
    assert bare.truth_targets.schema == tenant.truth_targets.schema
    assert bare.truth_pivots.schema == tenant.truth_pivots.schema
    assert bare.malformed.is_empty()


def test_small_tenants_know_their_pivots_too(small: Tenant) -> None:
    """Every kind occurs at scale 0.1 as well."""
    assert set(small.truth_pivots["Kind"]) == set(KINDS)
