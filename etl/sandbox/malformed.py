"""Malformed: a few rows with impossible values, for whoever validates what they read.

They fall on attacked devices while an attack goes on, and belong to no process in truth.
"""

import polars as pl

from etl.sandbox import moments
from etl.sandbox.attacks import Attack
from etl.sandbox.telemetry import HIDDEN

_PORTS = (70_001, -1)


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
