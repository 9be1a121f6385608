"""The stage that reads the newest states' evidence: one row an item, and the devices named.

A process key that the API left out is filled from hunting's own AlertEvidence, where that was
pulled; how is told by `etl.normalise.second_route`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

import polars as pl

from etl.contracts import core
from etl.contracts.hunting import hunting
from etl.contracts.judge import judge
from etl.contracts.ops import QUARANTINE
from etl.lake.lake import Lake
from etl.normalise import alerts, evidence
from etl.normalise.second_route import filled
from etl.stages import batches
from etl.stages.batches import Parts
from etl.stages.report import Report

BATCH: Final = 500
"""Alerts whose evidence is read at once; bounds the memory this stage takes."""

PART: Final = "evidence"
"""The part of the quarantine that this stage writes."""

_SORTED: Final = "from Parts order by all"


@dataclass(slots=True)
class _Table:
    """One table in the making: the rows kept, and what became of the others."""

    parts: Parts
    read: int = 0
    duplicates: int = 0
    rejected: list[pl.DataFrame] = field(default_factory=lambda: [QUARANTINE.empty()])

    def judge(
        self, rows: pl.DataFrame, source: str, raw: str, faults: pl.Series | None = None
    ) -> None:
        """Keep the rows that keep the contract."""
        verdict = judge(
            rows,
            self.parts.contract,
            source=source,
            raw=rows[raw],
            faults=faults,
            rule="an item of evidence is an object",
        )
        self.parts.add(verdict.accepted)
        self.rejected.append(verdict.rejected)

    def publish(self, lake: Lake, day: date) -> Report:
        """Replace the table's partition."""
        return Report(
            rows=self.parts.rows,
            read=self.read,
            published=self.parts.rows,
            quarantined=sum(rows.height for rows in self.rejected),
            duplicates=self.duplicates,
            changed=lake.publish_file(self.parts.contract, day, self.parts.united(_SORTED)),
        )


def publish(lake: Lake, day: date) -> dict[str, Report]:
    """Replace AlertEvidence and AlertDevices of `day` by what the newest states say.

    Returns a report per table. Raises LakeError where the lake cannot be written.
    """
    with lake.staging() as folder:
        items = _Table(Parts(core.ALERT_EVIDENCE, folder))
        devices = _Table(Parts(core.ALERT_DEVICES, folder))
        second = 0
        for source, states in _newest(lake, day):
            records = list(alerts.parsed(states))
            found = evidence.evidence(records)
            rows = filled(found.rows, _hunted(lake, day, states["AlertId"]))
            second += rows.filter(pl.col("KeySource") == "hunting").height
            items.judge(rows, source, "Raw", found.faults)
            items.read += found.read
            items.duplicates += found.read - found.rows.height
            named = evidence.devices(records)
            devices.judge(named, source, "DeviceId")
            devices.read += named.height
        rejected = pl.concat([*items.rejected, *devices.rejected]).sort("Table", "Rule", "Raw")
        lake.publish(QUARANTINE, day, rejected, PART)
        report = items.publish(lake, day)
        return {
            "AlertEvidence": replace(report, figures={"keys_from_hunting": second}),
            "AlertDevices": devices.publish(lake, day),
        }


def _newest(lake: Lake, day: date) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the newest states of a day with their records, some at once, each of one source."""
    newest = lake.read(core.ALERTS, day).select("AlertId", "ContentHash")
    for batch in batches.read(lake.path(core.ALERT_VERSIONS, day), BATCH):
        states = batch.join(newest, on=["AlertId", "ContentHash"], how="semi")
        for source in sorted(set(states["AlertSource"])):
            yield source, states.filter(pl.col("AlertSource") == source)


def _hunted(lake: Lake, day: date, ids: pl.Series) -> pl.DataFrame:
    """Return what hunting says of the evidence of some alerts."""
    contract = hunting("AlertEvidence")
    path = lake.path(contract, day)
    if not path.exists():
        return contract.empty()
    rows = pl.scan_parquet(path, hive_partitioning=False, glob=False)
    return rows.filter(pl.col("AlertId").is_in(ids.to_list())).collect()
