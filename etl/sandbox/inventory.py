"""Inventory: DeviceInfo rows, the heartbeats of every device.

One comes every quarter of an hour; only one a day says which ids a device had before, as does the
first after it was onboarded anew. The old id is then told of once a day, inactive.
"""

import json
from collections.abc import Sequence
from typing import Final

import polars as pl

from etl.sandbox import moments, onboarding
from etl.sandbox.dice import Dice
from etl.sandbox.fleet import Device
from etl.sandbox.onboarding import Anew
from etl.sandbox.processes import Span
from etl.sandbox.tables import conform

_EVERY: Final = 15 * moments.MINUTE
_A_DAY: Final = moments.DAY // _EVERY
_MERGED: Final = ("MergedDeviceIds", "MergedToDeviceId")


def device_info(
    dice: Dice, devices: Sequence[Device], span: Span, anew: Sequence[Anew]
) -> pl.DataFrame:
    """Return the heartbeats of devices; the report's number is a count of ticks."""
    about = pl.from_dicts([_about(device) for device in devices], infer_schema_length=None)
    slots = pl.DataFrame({"Slot": range(span.days * _A_DAY)}, schema={"Slot": pl.Int64})
    beats = slots.join(about, how="cross")
    late = dice.integers(0, _EVERY, beats.height)
    beats = beats.with_columns(
        Timestamp=pl.col("Slot") * _EVERY + span.start + late,
        ExposureLevel=dice.choose(["Low", "Medium", "High"], beats.height),
    ).with_columns(**dict.fromkeys(_MERGED, pl.lit(None, dtype=pl.String)))
    given_up = []
    for one in anew:
        mine = (pl.col("DeviceId") == one.before.id) & (pl.col("Timestamp") >= one.since)
        first = beats.filter(mine)["Slot"].min()
        told = mine & ((pl.col("Slot") == first) | (pl.col("Slot") % _A_DAY == 0))
        merged = pl.when(told).then(pl.lit(json.dumps([one.before.id])))
        beats = beats.with_columns(MergedDeviceIds=merged.otherwise("MergedDeviceIds"))
        given_up.append(
            beats.filter(told).with_columns(
                MergedDeviceIds=pl.lit(None, dtype=pl.String),
                MergedToDeviceId=pl.lit(one.after.id),
                SensorHealthState=pl.lit("Inactive"),
            )
        )
    device = onboarding.called(anew, pl.col("DeviceId"), pl.col("Timestamp"))
    rows = pl.concat([beats.with_columns(DeviceId=device), *given_up])
    rows = rows.with_columns(ReportId=pl.col("Timestamp") + 1_200_000_000)
    return conform(rows.sort("Timestamp", "DeviceId"), "DeviceInfo")


def _about(device: Device) -> dict[str, object]:
    """Return what every heartbeat of a device says."""
    return {
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
        "OnboardingStatus": "Onboarded",
        "DeviceCategory": "Endpoint",
        "DeviceType": "Server" if "Server" in device.system else "Workstation",
        "SensorHealthState": "Active",
        "IsInternetFacing": False,
        "IsExcluded": False,
    }
