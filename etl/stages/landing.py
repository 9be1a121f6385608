"""Landing: what hunting answered for a day, as it is, in the raw tables and in the ledger."""

import json
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow.parquet as pq

from etl.contracts import raw
from etl.contracts.hunting import TABLES
from etl.contracts.ops import LEDGER, QUERIES
from etl.lake import engine
from etl.lake.lake import Lake
from etl.sources import portal
from etl.sources.outcomes import Pulled
from etl.stages.report import Report
from etl.values import Record, part, text

SOURCE: Final = "hunting"
WINDOWS: Final = "data"
HUNTS: Final = "hunts"
"""The parts of a raw partition: telemetry around alerts, and what was hunted for."""

_ONE_ROW_A_RECORD: Final = """
select * from read_parquet($files, hive_partitioning = false)
qualify row_number() over (partition by Record order by IngestedAt) = 1
order by all
"""
_NEW: Final = """
select Fresh.* from read_parquet($fresh, hive_partitioning = false) as Fresh
anti join read_parquet($known, hive_partitioning = false) as Known using (Record)
"""


@dataclass(slots=True)
class Landing:
    """The answers of one pull; rows wait in files of `folder` until they are published.

    Outcomes may be added from several threads.
    """

    lake: Lake
    day: date
    folder: Path
    part: str = WINDOWS
    outcomes: list[Pulled] = field(default_factory=list)
    _files: dict[str, list[Path]] = field(default_factory=dict)
    _read: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def tables(self) -> list[str]:
        """The tables that rows wait for, sorted."""
        return sorted(table for table, files in self._files.items() if files)

    def add(self, pulled: Pulled) -> None:
        """Take one outcome, and write its rows aside."""
        texts = {pulled.table: pulled.texts}
        self.add_of(pulled, texts if pulled.texts else {})

    def add_of(self, pulled: Pulled, texts: Mapping[str, list[str]]) -> None:
        """Take one outcome whose rows are of several tables, and write them aside."""
        with self._lock:
            number = len(self.outcomes)
            self.outcomes.append(pulled.without_rows())
        for table, rows in texts.items():
            file = self.folder / f"{table}-{number}.parquet"
            self._records(table, rows, pulled).write_parquet(file, compression="zstd")
            with self._lock:
                self._files.setdefault(table, []).append(file)
                self._read[table] += len(rows)

    def publish(self, table: str) -> tuple[Report, Path | None]:
        """Add a table's waiting rows to its raw partition; a record there stays as it came.

        Returns what became of them, and a file of those that are new, if any are.
        Raises LakeError where the lake cannot be written.
        """
        contract = raw.telemetry(table)
        if not self._files.get(table) and self.lake.path(contract, self.day, self.part).exists():
            rows = self.lake.rows(contract, self.day, self.part)
            report = Report(rows=rows, read=0, published=0, changed=False)
            return self._report(table, report), None
        empty, target = self.folder / f"{table}.none", self.folder / f"{table}.all"
        new = self.folder / f"{table}.new.{len(self.outcomes)}"
        contract.empty().write_parquet(empty)
        known = self.lake.path(contract, self.day, self.part)
        before = pq.read_metadata(known).num_rows if known.exists() else 0
        fresh = [empty, *self._files.pop(table, [])]
        sources = [*fresh, *([known] if before else [])]
        with engine.connection(self.folder) as duck:
            values = {
                "fresh": [engine.literal(file) for file in fresh],
                "known": engine.literal(known if before else empty),
            }
            added = engine.write(duck, _NEW, new, values)
            values = {"files": [engine.literal(file) for file in sources]}
            rows = engine.write(duck, _ONE_ROW_A_RECORD, target, values)
            duplicates = engine.repeated(duck, "Record", sources)
        changed = self.lake.publish_file(contract, self.day, target, self.part)
        report = Report(
            rows=rows,
            read=self._read.pop(table, 0),
            published=rows - before,
            duplicates=duplicates,
            changed=changed,
        )
        return self._report(table, report), new if added else None

    def record(self, part: str, host: str) -> None:
        """Replace a part of the day's ledger by what was asked, and add to its queries.

        `host` is the portal's. Raises LakeError where the lake cannot be written.
        """
        outcomes = sorted(self.outcomes, key=lambda o: (o.table, o.window, o.part, o.started))
        self.lake.publish(LEDGER, self.day, _ledger(self.lake, outcomes), part)
        known = self.lake.read(QUERIES, self.day, part)
        queries = pl.concat([known, _queries(self.lake, outcomes, host)])
        ran = queries.unique("QueryHash", keep="first").sort("QueryHash")
        self.lake.publish(QUERIES, self.day, ran, part)

    def _report(self, table: str, report: Report) -> Report:
        """Return a report with what was asked of a table, and what of it did not come."""
        mine = [outcome for outcome in self.outcomes if outcome.table == table]
        return replace(
            report,
            figures={
                "hunting_calls": sum(outcome.calls for outcome in mine),
                "throttled": sum(outcome.throttled for outcome in mine),
                "slices": len(mine),
            },
            incomplete=tuple(
                f"{table} {outcome.window}: {outcome.status}, {outcome.detail}"
                for outcome in mine
                if outcome.status != "complete"
            ),
        )

    def _records(self, table: str, texts: Sequence[str], pulled: Pulled) -> pl.DataFrame:
        contract, keys = raw.telemetry(table), raw.keys(table)
        columns: dict[str, list[str | None]] = {name: [] for name in keys}
        for row in texts:
            record = part(json.loads(row))
            for name in keys:
                columns[name].append(text(record.get(name)))
        return pl.DataFrame(
            {
                "TenantId": [self.lake.tenant] * len(texts),
                **columns,
                "Record": texts,
                "IngestedAt": [pulled.ended] * len(texts),
                "SourceRequestId": [pulled.request_id] * len(texts),
            },
            schema=contract.types,
        )


def by_table(records: Iterable[Record]) -> dict[str, list[str]]:
    """Return the rows of a query over several tables as rows of each.

    A union gives every row the columns of all its tables: those that are null and those of another
    table are not the row's own. A row of no known table is left out by no query of ours.
    """
    texts: dict[str, list[str]] = {}
    for record in records:
        named = {key.lower(): key for key in record}.get("sourcetable", "")
        table = record.get(named)
        if isinstance(table, str) and table in TABLES:
            own = {k: v for k, v in record.items() if v is not None and k != named}
            texts.setdefault(table, []).append(json.dumps(own))
    return texts


def _ledger(lake: Lake, outcomes: Sequence[Pulled]) -> pl.DataFrame:
    rows = []
    for outcome in outcomes:
        start, end = outcome.window.instants
        rows.append(
            {
                "TenantId": lake.tenant,
                "Source": SOURCE,
                "Table": outcome.table,
                "WindowStart": start,
                "WindowEnd": end,
                "Slice": outcome.part,
                "Status": outcome.status,
                "Detail": outcome.detail,
                "Expected": outcome.expected,
                "Rows": outcome.rows,
                "Bytes": outcome.size,
                "Calls": outcome.calls,
                "Throttled": outcome.throttled,
                "StartedAt": outcome.started,
                "EndedAt": outcome.ended,
                "QueryHash": outcome.query_hash,
                "IngestedAt": outcome.ended,
                "SourceRequestId": outcome.request_id,
            }
        )
    return LEDGER.frame(rows)


def _queries(lake: Lake, outcomes: Sequence[Pulled], host: str) -> pl.DataFrame:
    ran = {outcome.query_hash: outcome for outcome in outcomes if outcome.query}
    return QUERIES.frame(
        [
            {
                "TenantId": lake.tenant,
                "QueryHash": name,
                "Query": outcome.query,
                "PortalUrl": portal.link(host, outcome.query),
                "IngestedAt": outcome.ended,
                "SourceRequestId": outcome.request_id,
            }
            for name, outcome in ran.items()
        ]
    )
