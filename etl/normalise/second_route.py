"""The second route to a process key: hunting's own rows of the alert, where the API has no key.

A row of hunting's AlertEvidence has no column for a pid: pid, creation time and host stand in the
JSON text of its AdditionalFields. It fills an item only where it cannot be another process's.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from etl import ticks
from etl.contracts.contract import Type
from etl.normalise.references import Document, word
from etl.values import Record, integer

_FILLED: Final[dict[str, Type]] = {
    "ProcessId": pl.Int64,
    "ProcessCreationTicks": pl.Int64,
    "DeviceId": pl.String,
}
_KEY: Final = ("TenantId", "AlertId", "EvidenceId")
_SCHEMA: Final[dict[str, Type]] = {**dict.fromkeys(_KEY, pl.String), **_FILLED}
_Alert = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class _Told:
    """What one row of hunting says of a process."""

    device: str | None
    pid: int | None
    created: int | None
    facts: Record


def filled(evidence: pl.DataFrame, hunting_rows: pl.DataFrame) -> pl.DataFrame:
    """Complete the process keys of core/AlertEvidence by rows of hunting.AlertEvidence.

    An item gets the one key that the rows of its alert have which agree with all that is known of
    it: command line and file name as they are, hashes, pid, time and device where both sides have
    them. Where two rows have different keys, or one has none, it stays as it is; so it does where
    the key is that of another item, which the row is then about.
    """
    with_tenant = "TenantId" in hunting_rows.columns
    told = _told(hunting_rows, with_tenant=with_tenant)
    lacking = evidence.filter(
        pl.col("EvidenceType") == "processEvidence", pl.col("KeySource").is_null()
    )
    own = _own(evidence, with_tenant=with_tenant)
    found: list[Record] = []
    for item in lacking.iter_rows(named=True):
        alert = (item["TenantId"] if with_tenant else None, item["AlertId"])
        key = _key(item, told.get(alert, []))
        if key is not None and not _taken(key, own.get(alert, [])):
            found.append({name: item[name] for name in _KEY} | key)
    new = pl.DataFrame(found, schema=_SCHEMA, orient="row")
    joined = evidence.join(
        new.with_columns(KeySource=pl.lit("hunting")),
        on=_KEY,
        how="left",
        suffix="_new",
        maintain_order="left",
    )
    return joined.with_columns(
        pl.coalesce(f"{name}_new", name).alias(name) for name in (*_FILLED, "KeySource")
    ).select(
        pl.when(pl.col("KeySource_new").is_null())
        .then(pl.col(name))
        .otherwise(ticks.instant(pl.col("ProcessCreationTicks")))
        .alias(name)
        if name == "ProcessCreationTime"
        else name
        for name in evidence.columns
    )


def _own(evidence: pl.DataFrame, *, with_tenant: bool) -> dict[_Alert, list[tuple[int, int]]]:
    """Return the process keys that came with each alert: pid and creation ticks."""
    own: defaultdict[_Alert, list[tuple[int, int]]] = defaultdict(list)
    keyed = evidence.filter(pl.col("KeySource") == "api")
    columns = ("TenantId", "AlertId", "ProcessId", "ProcessCreationTicks")
    for tenant, alert, pid, created in keyed.select(columns).iter_rows():
        own[tenant if with_tenant else None, alert].append((pid, created))
    return own


def _taken(key: Record, own: Iterable[tuple[int, int]]) -> bool:
    """Tell whether a key is one of some others, however finely each source shows the time."""
    pid, created = key["ProcessId"], key["ProcessCreationTicks"]
    return any(pid == other and abs(created - at) < ticks.PER_SECOND for other, at in own)


def _told(rows: pl.DataFrame, *, with_tenant: bool) -> dict[_Alert, list[_Told]]:
    """Read what hunting's rows say of processes, by alert."""
    said = list(_processes(rows))
    texts = pl.DataFrame({"Text": [word(known["time"]) for _, known in said]}, {"Text": pl.String})
    created = texts.select(ticks.without_sentinels(ticks.parse(pl.col("Text")))).to_series()
    machines = _machines(rows, with_tenant=with_tenant)
    found: defaultdict[_Alert, list[_Told]] = defaultdict(list)
    for (row, known), time in zip(said, created, strict=True):
        alert = (row["TenantId"] if with_tenant else None, row["AlertId"])
        device = known["device"] or _device(row["DeviceId"]) or machines.get(alert)
        found[alert].append(_Told(device, _pid(known["pid"]), time, known["facts"]))
    return found


def _processes(rows: pl.DataFrame) -> Iterator[tuple[Record, Record]]:
    """Yield the rows that tell of a process, each with what its AdditionalFields hold."""
    for row in rows.iter_rows(named=True):
        document = Document.read(row["AdditionalFields"])
        roots = [root for root in document.roots if "ProcessId" in root]
        if not roots and row["EntityType"] != "Process":
            continue
        fields = roots[0] if roots else {}
        image = document.part(fields, "ImageFile")
        hosts = (document.part(holder, "Host") for holder in (fields, image))
        yield (
            row,
            {
                "pid": fields.get("ProcessId"),
                "time": fields.get("CreationTimeUtc"),
                "device": next(
                    filter(None, (_device(host.get("MachineId")) for host in hosts)), None
                ),
                "facts": {
                    "ProcessCommandLine": row["ProcessCommandLine"]
                    or word(fields.get("CommandLine")),
                    "FileName": _lower(row["FileName"] or word(image.get("Name"))),
                    "SHA1": _lower(row["SHA1"]),
                    "SHA256": _lower(row["SHA256"]),
                },
            },
        )


def _machines(rows: pl.DataFrame, *, with_tenant: bool) -> dict[_Alert, str]:
    """Return the device of each alert whose rows name exactly one."""
    named = rows.filter(pl.col("EntityType") == "Machine", pl.col("DeviceId").is_not_null())
    found: defaultdict[_Alert, set[str]] = defaultdict(set)
    for row in named.iter_rows(named=True):
        found[row["TenantId"] if with_tenant else None, row["AlertId"]].add(row["DeviceId"].lower())
    return {alert: devices.pop() for alert, devices in found.items() if len(devices) == 1}


def _key(item: Record, told: list[_Told]) -> Record | None:
    """Return the one key that all rows agreeing with an item have, if it is whole."""
    pid, created = _pid(item["ProcessId"]), item["ProcessCreationTicks"]
    agreeing = [row for row in told if _agrees(item, pid, created, row)]
    keys = {(row.pid or pid, created if row.created is None else row.created) for row in agreeing}
    devices = {row.device for row in agreeing if row.device}
    if len(keys) != 1 or (item["DeviceId"] is None and len(devices) > 1):
        return None
    ((found, time),) = keys
    if found is None or time is None:
        return None
    device = item["DeviceId"] or next(iter(devices), None)
    return {"ProcessId": found, "ProcessCreationTicks": time, "DeviceId": device}


def _agrees(item: Record, pid: int | None, created: int | None, row: _Told) -> bool:
    """Tell whether a row may be about an item: nothing differs, and something is the same."""
    either = [
        (_lower(item["SHA1"]), row.facts["SHA1"]),
        (_lower(item["SHA256"]), row.facts["SHA256"]),
        (pid, row.pid),
        (created, row.created),
    ]
    known = [ours == theirs for ours, theirs in either if None not in (ours, theirs)]
    mine = {
        "ProcessCommandLine": item["ProcessCommandLine"],
        "FileName": _lower(item["FileName"]),
    }
    known += [row.facts[name] == value for name, value in mine.items() if value is not None]
    elsewhere = None not in (item["DeviceId"], row.device) and item["DeviceId"] != row.device
    return bool(known) and all(known) and not elsewhere


def _pid(value: object) -> int | None:
    """Return a pid that can be part of a key: 0 is nobody."""
    found = integer(value)
    return found if found is not None and found > 0 else None


def _device(value: object) -> str | None:
    return (word(value) or "").strip().lower() or None


def _lower(value: str | None) -> str | None:
    return value.lower() if value else None
