"""Malformed: a few rows with impossible values, for whoever validates what they read.

They fall on attacked devices while an attack goes on, and belong to no process in truth. Some more
become unreadable where hunting has drifted, see `drift`, and are whole otherwise.
"""

import polars as pl

from etl.sandbox import moments
from etl.sandbox.attacks import Attack
from etl.sandbox.telemetry import HIDDEN

_PORTS = (70_001, -1)
_UNREADABLE = 2
_KEY = {"EventTable": pl.String, "DeviceId": pl.String, "TimestampTicks": pl.Int64,
        "ReportId": pl.Int64}  # fmt: skip


def rows(attacks: list[Attack]) -> dict[str, pl.DataFrame]:
    """Return impossible rows by table, some for each day."""
    chosen: dict[int, tuple[Attack, int]] = {}
    for attack in attacks:
        known = [one.process for one in attack.suspects if one.process is not None]
        if known:
            chosen.setdefault(attack.day, (attack, known[0]))
    network: list[dict[str, object]] = []
    processes: list[dict[str, object]] = []
    for attack, process in chosen.values():
        when = (attack.first + attack.last) // 2
        shared: dict[str, object] = {"Timestamp": when, "_initiator": process}
        network += [
            {**shared, "ActionType": "ConnectionSuccess", "RemoteIP": "198.51.100.66",
             "RemotePort": port} for port in _PORTS
        ]  # fmt: skip
        processes.append(
            {**shared, "ActionType": "ProcessCreated", "FileName": "broken.exe", "ProcessId": -5,
             "ProcessCreationTime": when - moments.MILLISECOND}
        )  # fmt: skip
    return {
        "DeviceNetworkEvents": pl.from_dicts(network),
        "DeviceProcessEvents": pl.from_dicts(processes),
    }


def disowned(written: pl.DataFrame) -> pl.DataFrame:
    """Forget which process a row was written for."""
    return written.with_columns(**dict.fromkeys(HIDDEN, pl.lit(None, dtype=pl.Int64)))


def unreadable(attacks: list[Attack], events: pl.DataFrame) -> pl.DataFrame:
    """Choose the rows of DeviceEvents, without a process of their own, nearest to an attack."""
    attack = next((one for one in attacks if one.devices and one.suspects), None)
    if attack is None:
        return none()
    apart = (pl.col("Timestamp") - attack.last).abs()
    return (
        events.filter(pl.col("ProcessId").is_null(), DeviceId=attack.devices[0].id)
        .sort(apart, "ReportId")
        .head(_UNREADABLE)
        .select(
            "DeviceId",
            "ReportId",
            EventTable=pl.lit("DeviceEvents"),
            TimestampTicks="Timestamp",
        )
        .select(*_KEY)
    )


def none() -> pl.DataFrame:
    """Return no rows that become unreadable."""
    return pl.DataFrame(schema=_KEY)
