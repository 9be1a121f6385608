"""Inventory: DeviceInfo rows, which repeat what is known of each device every few hours."""

import json
from random import Random

import polars as pl

from etl.sandbox import moments
from etl.sandbox.fleet import Device
from etl.sandbox.processes import Span
from etl.sandbox.tables import conform

_EVERY = 4 * moments.HOUR


def device_info(random: Random, devices: list[Device], span: Span) -> pl.DataFrame:
    """Return one row for each device every four hours; the report's number is a count of ticks."""
    rows = [
        _row(random, device, span.start + slot * _EVERY)
        for slot in range(span.days * moments.DAY // _EVERY)
        for device in devices
    ]
    return conform(pl.from_dicts(rows, infer_schema_length=None).sort("Timestamp"), "DeviceInfo")


def _row(random: Random, device: Device, slot: int) -> dict[str, object]:
    ticks = slot + random.randrange(_EVERY)
    return {
        "Timestamp": ticks,
        "DeviceId": device.id,
        "DeviceName": device.name,
        "ClientVersion": "10.8760.26100.1",
        "PublicIP": device.public_address,
        "OSArchitecture": "64-bit",
        "OSPlatform": device.system,
        "OSBuild": device.build or None,
        "OSVersion": device.version,
        "IsAzureADJoined": device.platform == "windows",
        "AadDeviceId": device.aad_id,
        "LoggedOnUsers": json.dumps([{"UserName": device.user.name}]),
        "MachineGroup": device.group,
        "ReportId": ticks + 1_200_000_000,
        "OnboardingStatus": "Onboarded",
        "DeviceCategory": "Endpoint",
        "DeviceType": "Server" if "Server" in device.system else "Workstation",
        "SensorHealthState": "Active",
        "ExposureLevel": random.choice(("Low", "Medium", "High")),
        "IsInternetFacing": False,
        "IsExcluded": False,
    }
