"""Landing: what hunting answered for a day, as it is, in the raw tables and in the ledger."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow.parquet as pq

from etl.contracts import raw
from etl.contracts.ops import LEDGER
from etl.lake import engine
from etl.lake.lake import Lake
from etl.sources.slices import Pulled
from etl.stages.report import Report
from etl.values import text

SOURCE: Final = "hunting"

_ONE_ROW_A_RECORD: Final = """
select * from read_parquet($files, hive_partitioning = false)
qualify row_number() over (partition by Record order by IngestedAt) = 1
order by all
"""


@dataclass(slots=True)
class Landing:
    """The answers of one pull; rows wait in files of `folder` until they are published."""

    lake: Lake
    day: date
    folder: Path
    outcomes: list[Pulled] = field(default_factory=list)
    _files: dict[str, list[Path]] = field(default_factory=dict)

    def add(self, pulled: Pulled) -> None:
        """Take one outcome, and write its rows aside."""
        self.outcomes.append(pulled.without_records())
        if pulled.records:
            files = self._files.setdefault(pulled.table, [])
            files.append(self.folder / f"{pulled.table}-{len(files)}.parquet")
            self._records(pulled).write_parquet(files[-1], compression="zstd")

    def publish(self, table: str) -> Report:
        """Add a table's rows to its raw partition; a record that is there stays as it came.

        Raises LakeError where the lake cannot be written.
        """
        contract = raw.telemetry(table)
        empty, target = self.folder / f"{table}.none", self.folder / f"{table}.all"
        contract.empty().write_parquet(empty)
        known = self.lake.path(contract, self.day)
        before = pq.read_metadata(known).num_rows if known.exists() else 0
        sources = [empty, *self._files.get(table, []), *([known] if before else [])]
        values = {"files": [engine.literal(file) for file in sources]}
        with engine.connection(self.folder) as duck:
            rows = engine.write(duck, _ONE_ROW_A_RECORD, target, values)
            duplicates = engine.repeated(duck, "Record", sources)
        changed = self.lake.publish_file(contract, self.day, target)
        mine = [outcome for outcome in self.outcomes if outcome.table == table]
        return Report(
            rows=rows,
            read=sum(outcome.rows for outcome in mine),
            published=rows - before,
            duplicates=duplicates,
            changed=changed,
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

    def record(self, part: str) -> None:
        """Replace a part of the day's ledger by what was asked.

        Raises LakeError where the lake cannot be written.
        """
        self.lake.publish(LEDGER, self.day, _ledger(self.lake, self.outcomes), part)

    def _records(self, pulled: Pulled) -> pl.DataFrame:
        contract, now = raw.telemetry(pulled.table), datetime.now(UTC)
        keys = raw.keys(pulled.table)
        return contract.frame(
            [
                {
                    "TenantId": self.lake.tenant,
                    **{name: text(record.get(name)) for name in keys},
                    "Record": json.dumps(record),
                    "IngestedAt": now,
                    "SourceRequestId": pulled.request_id,
                }
                for record in pulled.records
            ]
        )


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
