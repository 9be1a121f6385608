"""The stage that types one table's raw telemetry: judged, one row an event, sorted.

Either all raw records of a day, or those that have just been added to them: what comes out is the
same. What its columns hold that the schema does not foretell goes to ops/SchemaDrift.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from etl.contracts import raw
from etl.contracts.contract import Contract
from etl.contracts.hunting import ALERT_TABLES, hunting
from etl.contracts.judge import judge
from etl.contracts.ops import QUARANTINE, SCHEMA_DRIFT
from etl.lake import engine
from etl.lake.lake import Lake
from etl.normalise.column_drift import SOURCE, ColumnDrift, doubts
from etl.normalise.columns import folded
from etl.normalise.telemetry import events
from etl.stages import batches
from etl.stages.report import Report

log = logging.getLogger(__name__)

BATCH: Final = 20_000
"""Raw records typed at once; bounds the memory this stage takes."""

_FILES: Final = (
    "select * from read_parquet($files, union_by_name = true, hive_partitioning = false) "
)
_ONE_ROW_AN_EVENT: Final = """
qualify row_number() over (partition by EventId order by IngestedAt, SourceRequestId{others}) = 1
order by {order}, TimestampTicks, EventId
"""
_ONE_ROW_A_RECORD: Final = """
qualify row_number() over (
    partition by TenantId, Source, "Table", Raw order by IngestedAt, SourceRequestId, Rule, Detail
) = 1
order by "Table", Rule, Raw, TenantId, Source
"""


@dataclass(slots=True)
class _Typed:
    """Records that were typed: files of rows and of rejected records, and the columns' drift."""

    drift: ColumnDrift
    rows: list[Path] = field(default_factory=list)
    rejects: list[Path] = field(default_factory=list)
    read: int = 0
    rejected: int = 0

    @property
    def accepted(self) -> int:
        """How many records are rows."""
        return self.read - self.rejected


def publish(lake: Lake, day: date, table: str, added: Path | None = None) -> Report:
    """Replace hunting/`table` of `day` by what its raw records say.

    `added` is a file of those raw records that came since it was last published, of contract
    raw/`table`; without it, or where nothing that fits was published before, all are read anew. The
    report is of the records read, and of the drift that they are the first to show. Raises
    LakeError where the lake cannot be written.
    """
    contract = hunting(table)
    known = lake.path(contract, day)
    drifted = lake.path(SCHEMA_DRIFT, day, drift_part(table))
    whole = added is None or not drifted.exists() or not _fits(known, contract)
    sources = _parts(lake, day, table) if added is None or whole else [added]
    before = None if whole else lake.read(SCHEMA_DRIFT, day, drift_part(table))
    with lake.staging() as folder:
        typed = _typed(sources, table, folder)
        if before is not None and not typed.read:
            return Report(rows=lake.rows(contract, day), read=0, published=0, changed=False)
        turned_away = [*typed.rejects, *_there(lake.path(QUARANTINE, day, table), whole=whole)]
        rows = [*typed.rows, *_there(known, whole=whole)]
        united, published = _united(table, rows, folder)
        already = 0 if whole else lake.rows(contract, day)
        changed = lake.publish_file(contract, day, united)
        lake.publish_file(QUARANTINE, day, _quarantine(turned_away, folder), table)
    log.info("%s: %d rows of %s published", day, published - already, table)
    drift = typed.drift.told(before)
    lake.publish(SCHEMA_DRIFT, day, drift, drift_part(table))
    fresh = drift if before is None else drift.join(before, on=SCHEMA_DRIFT.grain, how="anti")
    return Report(
        rows=published,
        read=typed.read,
        published=published - already,
        quarantined=typed.rejected,
        duplicates=typed.accepted - published + already,
        changed=changed,
        figures={"drifting_columns": fresh.height},
        doubts=doubts(fresh),
    )


def drift_part(table: str) -> str:
    """Return the part of ops/SchemaDrift that is about one hunting table."""
    return f"{SOURCE}_{table}"


def _parts(lake: Lake, day: date, table: str) -> list[Path]:
    """Return the files of a table's raw records, whatever they were pulled for."""
    return sorted(lake.path(raw.telemetry(table), day).parent.glob("*.parquet"))


def _typed(sources: Sequence[Path], table: str, folder: Path) -> _Typed:
    """Type and judge raw records, a batch at once, into files of `folder`."""
    contract = hunting(table)
    typed = _Typed(ColumnDrift(table))
    read = (batch for source in sources for batch in batches.read(source, BATCH))
    for number, batch in enumerate(read):
        found = events(table, batch)
        verdict = judge(
            found.rows, contract, source=SOURCE, raw=batch["Record"], faults=found.faults
        )
        typed.read += batch.height
        typed.drift.add(batch, found)
        typed.rows.append(folder / f"rows-{number}.parquet")
        verdict.accepted.write_parquet(typed.rows[-1], compression="zstd")
        if verdict.rejected.height:
            typed.rejected += verdict.rejected.height
            typed.rejects.append(folder / f"rejected-{number}.parquet")
            verdict.rejected.write_parquet(typed.rejects[-1], compression="zstd")
    return typed


def _there(path: Path, *, whole: bool) -> list[Path]:
    """Return the file that what was typed is united with, if there is one."""
    return [path] if not whole and path.exists() else []


def _fits(path: Path, contract: Contract) -> bool:
    """Return whether a published file has the columns of today's contract."""
    if not path.exists():
        return False
    found = _schema(path)
    declared = contract.types
    return all(found.get(name) == kind for name, kind in declared.items()) and all(
        kind == pl.String for name, kind in found.items() if name not in declared
    )


def _schema(path: Path) -> pl.Schema:
    """Return the columns of one file, whatever characters its path has."""
    return pl.scan_parquet(path, hive_partitioning=False, glob=False).collect_schema()


def _united(table: str, files: Sequence[Path], folder: Path) -> tuple[Path, int]:
    """Write one row an event, of several the one that came first; return the file and its rows."""
    contract = hunting(table)
    spellings: dict[str, str] = {}
    for file in files:
        for name in _schema(file):
            if name not in contract.types:
                spelled = spellings.setdefault(folded(name), name)
                spellings[folded(name)] = min(spelled, name)
    unknown = [name for _, name in sorted(spellings.items())]
    first = folder / "columns.parquet"
    pl.DataFrame(schema=contract.types | dict.fromkeys(unknown, pl.String)).write_parquet(first)
    target = folder / "events.parquet"
    order = "AlertId" if table in ALERT_TABLES else "DeviceId"
    others = "".join(', "{}"'.format(name.replace('"', '""')) for name in unknown)
    query = _FILES + _ONE_ROW_AN_EVENT.format(order=order, others=others)
    with engine.connection(folder) as duck:
        paths = [engine.literal(path) for path in (first, *files)]
        rows = engine.write(duck, query, target, {"files": paths})
    return target, rows


def _quarantine(files: Sequence[Path], folder: Path) -> Path:
    """Write one row a record that was turned away."""
    first, target = folder / "nobody.parquet", folder / "quarantine.parquet"
    QUARANTINE.empty().write_parquet(first)
    with engine.connection(folder) as duck:
        paths = [engine.literal(path) for path in (first, *files)]
        engine.write(duck, _FILES + _ONE_ROW_A_RECORD, target, {"files": paths})
    return target
