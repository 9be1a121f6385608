"""The stages that correlate a day and publish its marts, and that renew the catalog."""

import logging
from datetime import date
from pathlib import Path

import polars as pl

from etl import ticks
from etl.contracts.contract import Contract
from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE, ALERTS
from etl.contracts.hunting import DEVICE_INFO, EVENT_TABLES, hunting
from etl.contracts.mart import (
    ALERT_CORRELATION,
    ALERT_HUNTS,
    ALERT_VALIDATION,
    CORRELATED_ALERTS,
    PROCESS_TIERS,
)
from etl.contracts.ops import LEDGER, QUARANTINE
from etl.contracts.story import ALERT_TIMELINE, PROCESS_TREE
from etl.lake import catalog, engine
from etl.lake.lake import Lake
from etl.models.correlation import correlate, tell
from etl.stages.report import Report

log = logging.getLogger(__name__)


def publish(
    lake: Lake, day: date, tolerance_ms: int, landing_minutes: int = 40
) -> dict[str, Report]:
    """Replace the marts of `day` that are made of alerts and telemetry.

    A miss stays open for `landing_minutes`. Raises pandera's SchemaErrors where a mart breaks its
    contract, and LakeError.
    """
    tolerance = tolerance_ms * 1000 * ticks.PER_MICROSECOND
    landing = landing_minutes * ticks.PER_MINUTE
    with lake.staging() as folder, engine.connection(folder, again=True) as duck:
        marts = correlate(duck, inputs(lake, day), tolerance, folder, landing)
        story = tell(duck, folder)
        files = (
            (CORRELATED_ALERTS, marts.correlated),
            (ALERT_CORRELATION, marts.correlation),
            (ALERT_VALIDATION, marts.validation),
            (PROCESS_TREE, story.tree),
            (ALERT_TIMELINE, story.timeline),
        )
        rows = {contract.table: _keep_contract(path, contract).height for contract, path in files}
        found = _read(marts.correlation)
        figures = {
            "AlertCorrelation": _figures(found),
            "AlertValidation": _counts(_read(marts.validation), "Verdict", "verdict"),
        }
        changed = {
            contract.table: lake.publish_file(contract, day, path) for contract, path in files
        }
    matched = found.filter(pl.col("MatchTier") != "none").height
    log.info("%s: %d evidence items tied to %d events", day, matched, rows[CORRELATED_ALERTS.table])
    return {
        table: Report.of(number, changed=changed[table], **figures.get(table, {}))
        for table, number in rows.items()
    }


def inputs(lake: Lake, day: date) -> dict[str, Path | pl.DataFrame]:
    """Return what the correlation of `day` reads, by the names of its relations."""
    tables: dict[str, Contract] = {
        contract.table: contract for contract in (ALERT_DEVICES, ALERT_EVIDENCE, ALERTS)
    } | {table: hunting(table) for table in (*EVENT_TABLES, DEVICE_INFO)}
    return {
        **{name: _input(lake, contract, day) for name, contract in tables.items()},
        "Hunts": _input(lake, ALERT_HUNTS, day),
        "Ledger": _input(lake, LEDGER, day, "hunting"),
    }


def refresh(lake: Lake) -> Path:
    """Build the SQL catalog anew and swap it in."""
    return catalog.build(lake.root)


def _input(lake: Lake, contract: Contract, day: date, part: str = "data") -> Path | pl.DataFrame:
    path = lake.path(contract, day, part)
    return path if path.exists() else contract.empty()


def _keep_contract(path: Path, contract: Contract) -> pl.DataFrame:
    frame = _read(path)
    contract.schema.validate(frame, lazy=True)
    return frame


def _read(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path, hive_partitioning=False, glob=False)


def _figures(found: pl.DataFrame) -> dict[str, int | float | str]:
    """Return evidence by tier and reason, and the share of usable process keys that matched."""
    by_key = found.filter(pl.col("MatchTier").is_in(PROCESS_TIERS)).height
    missed = found.filter(
        (pl.col("EntityType") == "Process")
        & (pl.col("MatchTier") == "none")
        & (pl.col("Reason") != "no_usable_key")
    ).height
    return {
        "match_rate": round(by_key / (by_key + missed), 4) if by_key + missed else 1.0,
        **_counts(found, "MatchTier", "tier"),
        **_counts(found, "Reason", "reason"),
    }


def _counts(frame: pl.DataFrame, column: str, name: str) -> dict[str, int | float | str]:
    """Return how often each value of a column occurs, as figures of a name."""
    counted = frame.drop_nulls(column).group_by(column).len().sort(column)
    return {f"{name}_{value}": number for value, number in counted.iter_rows()}


def quarantined(lake: Lake, day: date) -> pl.DataFrame:
    """Return how many records of `day` were turned away: Table, Rule, Rows."""
    folder = lake.path(QUARANTINE, day).parent
    parts = [_read(path) for path in sorted(folder.glob("*.parquet"))]
    rows = pl.concat([QUARANTINE.empty(), *parts])
    return rows.group_by("Table", "Rule").agg(Rows=pl.len().cast(pl.Int64)).sort("Table", "Rule")
