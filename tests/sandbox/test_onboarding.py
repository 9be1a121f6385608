"""Devices that are onboarded anew: DeviceInfo, telemetry, alerts and the truth tell one story."""

import json
from typing import Any

import polars as pl
import pytest

from etl.sandbox import Tenant, moments

TABLES = ("DeviceProcessEvents", "DeviceNetworkEvents", "DeviceFileEvents", "DeviceEvents")


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    """Return a tenant of ordinary size."""
    return Tenant.generate(seed=7, scale=1.0, days=3)


@pytest.fixture(scope="module")
def merged(tenant: Tenant) -> dict[str, str]:
    """Return the new id of each device that was given up, as DeviceInfo tells it."""
    info = tenant.tables["DeviceInfo"].filter(pl.col("MergedToDeviceId").is_not_null())
    return dict(info.select("DeviceId", "MergedToDeviceId").unique().rows())


def when(tenant: Tenant, table: str, device: str) -> pl.Series:
    """Return the instants of a device's rows."""
    return tenant.tables[table].filter(DeviceId=device)["Timestamp"]


def test_a_windows_and_a_linux_device_get_another_id(
    tenant: Tenant, merged: dict[str, str]
) -> None:
    """Two machines have two ids, both of them onboarded."""
    info = tenant.tables["DeviceInfo"].filter(pl.col("DeviceId").is_in([*merged]))
    systems = info.select("DeviceId", "OSPlatform").unique()["OSPlatform"]

    assert sorted(system.startswith("Windows") for system in systems) == [False, True]
    assert {*merged, *merged.values()} <= {device.id for device in tenant.devices}


def test_the_new_id_names_the_old_one(tenant: Tenant, merged: dict[str, str]) -> None:
    """Some heartbeats of the new id list the old one; most leave it out."""
    info = tenant.tables["DeviceInfo"]
    for old, new in merged.items():
        rows = info.filter(DeviceId=new)
        told = rows["MergedDeviceIds"].drop_nulls()

        assert {tuple(json.loads(text)) for text in told} == {(old,)}
        assert 0 < len(told) < rows.height / 10
    assert info["MergedDeviceIds"].drop_nulls().len() < 20


@pytest.mark.parametrize("table", TABLES)
def test_telemetry_moves_from_one_id_to_the_other(
    table: str, tenant: Tenant, merged: dict[str, str]
) -> None:
    """All rows under the old id are before all under the new one, and there are some of each."""
    for old, new in merged.items():
        assert when(tenant, table, old).max() < when(tenant, table, new).min()


def test_a_heartbeat_comes_every_quarter_of_an_hour(tenant: Tenant) -> None:
    """Every machine has 96 active heartbeats a day, whatever it is called."""
    info = tenant.tables["DeviceInfo"].filter(SensorHealthState="Active")

    assert set(info.group_by("DeviceName").len()["len"]) == {4 * 96}
    assert info["Timestamp"].min() // moments.DAY == info["Timestamp"].max() // moments.DAY - 3


def test_alerts_name_the_other_id(tenant: Tenant, merged: dict[str, str]) -> None:
    """What happened after goes by the old id, what happened before by the new one."""
    alerts: dict[str, dict[str, Any]] = {str(alert["id"]): alert for alert in tenant.alerts}
    moved = tenant.truth.filter(pl.col("NamedDeviceId") != pl.col("DeviceId"))
    for row in moved.rows(named=True):
        item = alerts[row["AlertId"]]["evidence"][row["EvidenceIndex"]]
        pair = (row["NamedDeviceId"], row["DeviceId"])

        assert item["mdeDeviceId"] == row["NamedDeviceId"]
        assert (pair if row["Case"] == "old_id" else pair[::-1]) in merged.items()
    assert moved.group_by("Case").agg(pl.col("AlertId").n_unique()).sort("Case").rows() == [
        ("new_id", 2),
        ("old_id", 2),
    ]


def test_the_telemetry_of_such_processes_is_there(tenant: Tenant) -> None:
    """Each has its creation row, and its events under the one id that the truth names."""
    moved = tenant.truth.filter(pl.col("NamedDeviceId") != pl.col("DeviceId"))
    key = ["ProcessId", "ProcessCreationTicks"]
    events = tenant.truth_events.join(moved.select(key).unique(), on=key)

    assert moved.select(
        pl.all_horizontal("HasTelemetry", "HasCreationRow", "Decidable").all()
    ).item()
    assert set(events["DeviceId"]) == set(moved["DeviceId"])
