"""Evidence items as rows: every type gets its row, the known ones their columns as well.

Which items there are is told by `etl.normalise.nesting`, which columns a type fills by
`etl.normalise.entities`, which item is the same as another by `etl.normalise.identity`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from etl import ticks
from etl.contracts.contract import Type
from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE
from etl.normalise.entities import COLUMNS, device_id
from etl.normalise.identity import identities
from etl.normalise.nesting import SENT, Item, items
from etl.normalise.paths import at
from etl.normalise.vocabulary import entity_type, pascal
from etl.values import Record, canonical, integer, text, texts

__all__ = ["SENT", "Evidence", "devices", "evidence", "items"]

_INSTANTS: Final = ("Timestamp", "ProcessCreationTime", "ParentProcessCreationTime")
_DIRECTIONS: Final = {
    "source": "Source",
    "destination": "Destination",
    "sourceAddress": "Source",
    "destinationAddress": "Destination",
}
"""Roles, and fields that an item is nested in, that make it one end of a connection."""

_FAULT: Final = "__fault"
_PARENT: Final = "__parent"
_DEPTH: Final = "__depth"
_WORKING: Final[dict[str, Type]] = {_FAULT: pl.String, _PARENT: pl.UInt32, _DEPTH: pl.UInt32}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The rows of AlertEvidence, not yet judged, and the account of them.

    `faults` has, row by row, null or why the item is none. `read` counts the items that were read,
    nested ones included; those that repeat another of their alert are in no row of their own.
    """

    rows: pl.DataFrame
    read: int
    faults: pl.Series


def evidence(states: Iterable[tuple[Record, Record]]) -> Evidence:
    """Read the evidence of newest states as core/AlertEvidence.

    An item listed twice in one alert is one row; one that is listed and nested is a listed one.
    """
    rows: list[Record] = []
    contents: list[Record] = []
    for state, alert in states:
        first, found = len(rows), items(alert).items
        for item in found:
            parent = None if item.parent is None else first + item.parent
            rows.append(_row(state, alert, item) | _inherited(item, parent, rows))
            contents.append(item.record)
    frame = _typed(rows)
    ids = identities(frame, contents)
    frame = frame.with_columns(ids).with_columns(
        ParentEvidenceId=pl.col("EvidenceId").gather(pl.col(_PARENT))
    )
    kept = (
        frame.sort(_DEPTH, maintain_order=True)
        .unique(list(ALERT_EVIDENCE.grain), keep="first", maintain_order=True)
        .sort("AlertId", "EvidenceId")
    )
    return Evidence(kept.select(*ALERT_EVIDENCE.types), len(rows), kept[_FAULT])


def devices(states: Iterable[tuple[Record, Record]]) -> pl.DataFrame:
    """Read the devices that newest states name as core/AlertDevices, not yet judged."""
    rows = [row for state, alert in states for row in _devices(state, alert)]
    return (
        ALERT_DEVICES.frame(rows)
        .unique(list(ALERT_DEVICES.grain), keep="first", maintain_order=True)
        .sort("AlertId", "DeviceId")
    )


def _typed(rows: list[Record]) -> pl.DataFrame:
    types = ALERT_EVIDENCE.types | dict.fromkeys(_INSTANTS, pl.String) | _WORKING
    frame = pl.DataFrame(rows, schema=types, orient="row")
    parsed = {name: ticks.without_sentinels(ticks.parse(pl.col(name))) for name in _INSTANTS}
    whole = (pl.col("ProcessId") > 0) & pl.col("ProcessCreationTicks").is_not_null()
    return frame.with_columns(
        ProcessCreationTicks=parsed["ProcessCreationTime"],
        ParentProcessCreationTicks=parsed["ParentProcessCreationTime"],
        **{name: ticks.instant(value) for name, value in parsed.items()},
    ).with_columns(KeySource=pl.when(whole).then(pl.lit("api")))


def _row(state: Record, alert: Record, item: Item) -> Record:
    record = item.record
    roles = texts(record.get("roles"))
    directions = [_DIRECTIONS[name] for name in (item.field, *roles) if name in _DIRECTIONS]
    sent = record.get("value") if item.fault else record
    return {
        "TenantId": state["TenantId"],
        "AlertId": state["AlertId"],
        "EvidenceType": item.kind,
        "EntityType": entity_type(item.kind),
        "EvidenceDirection": directions[0] if directions else None,
        "Timestamp": text(record.get("createdDateTime")) or text(alert.get("createdDateTime")),
        "Title": state["Title"],
        "Categories": canonical(state["Categories"]),
        "AttackTechniques": canonical(state["AttackTechniques"]),
        "ServiceSource": state["ServiceSource"],
        "DetectionSource": state["DetectionSource"],
        "Severity": state["Severity"],
        "DeviceId": device_id(record),
        "Verdict": pascal(text(record.get("verdict"))),
        "RemediationStatus": pascal(text(record.get("remediationStatus"))),
        "Roles": roles,
        "Raw": canonical(record.get(SENT, sent)),
        "IngestedAt": state["IngestedAt"],
        "SourceRequestId": state["SourceRequestId"],
        _FAULT: item.fault,
        _DEPTH: item.depth,
        **{name: read(record) for name, read in COLUMNS.get(item.kind, {}).items()},
    }


def _inherited(item: Item, parent: int | None, rows: list[Record]) -> Record:
    """Return what a nested item has from the item around it: the family of its malware."""
    if parent is None:
        return {}
    family = rows[parent].get("ThreatFamily")
    return {_PARENT: parent} | ({"ThreatFamily": family} if family and item.kind in _FILES else {})


_FILES: Final = frozenset({"fileEvidence", "processEvidence"})


def _devices(state: Record, alert: Record) -> Iterator[Record]:
    """Yield the devices an alert describes, then those that only its other evidence names."""
    found = [item for item in items(alert).items if device_id(item.record)]
    for item in sorted(found, key=lambda item: item.kind != "deviceEvidence"):
        described = item.record if item.kind == "deviceEvidence" else {}
        yield {
            "TenantId": state["TenantId"],
            "AlertId": state["AlertId"],
            "DeviceId": device_id(item.record),
            "DeviceName": at("deviceDnsName", "hostName")(described),
            "AadDeviceId": text(described.get("azureAdDeviceId")),
            "OSPlatform": text(described.get("osPlatform")),
            "OSVersion": text(described.get("version")),
            "OSBuild": integer(described.get("osBuild")),
            "PublicIP": text(described.get("lastExternalIpAddress")),
            "IngestedAt": state["IngestedAt"],
            "SourceRequestId": state["SourceRequestId"],
        }
