"""The stages that correlate a day and publish its marts, and that renew the catalog."""

import logging
from datetime import date
from pathlib import Path

import polars as pl

from etl import ticks
from etl.contracts.contract import Contract
from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE, ALERTS
from etl.contracts.hunting import EVENT_TABLES, hunting
from etl.contracts.mart import ALERT_CORRELATION, CORRELATED_ALERTS
from etl.contracts.ops import LEDGER, QUARANTINE
from etl.lake import catalog, engine
from etl.lake.lake import Lake
from etl.models.correlation import correlate
from etl.stages.report import Report

log = logging.getLogger(__name__)


def publish(lake: Lake, day: date, tolerance_ms: int) -> dict[str, Report]:
    """Replace mart/CorrelatedAlerts and mart/AlertCorrelation of `day`.

    Raises pandera's SchemaErrors where a mart breaks its contract, and LakeError.
    """
    tables: dict[str, Contract] = {
        contract.table: contract for contract in (ALERT_DEVICES, ALERT_EVIDENCE, ALERTS)
    } | {table: hunting(table) for table in EVENT_TABLES}
    inputs = {name: _input(lake, contract, day) for name, contract in tables.items()}
    inputs["Ledger"] = _input(lake, LEDGER, day, "hunting")
    tolerance = tolerance_ms * 1000 * ticks.PER_MICROSECOND
    with lake.staging() as folder, engine.connection(folder) as duck:
        marts = correlate(duck, inputs, tolerance, folder)
        _keep_contract(marts.correlated, CORRELATED_ALERTS)
        found = _keep_contract(marts.correlation, ALERT_CORRELATION)
        events = pl.scan_parquet(marts.correlated).select(pl.len()).collect().item()
        changed = lake.publish_file(CORRELATED_ALERTS, day, marts.correlated)
        changed_too = lake.publish_file(ALERT_CORRELATION, day, marts.correlation)
    matched = found.filter(pl.col("MatchTier") != "none").height
    log.info("%s: %d evidence items tied to %d events", day, matched, events)
    return {
        "CorrelatedAlerts": Report.of(events, changed=changed),
        "AlertCorrelation": Report.of(found.height, changed=changed_too, **_figures(found)),
    }


def refresh(lake: Lake) -> Path:
    """Build the SQL catalog anew and swap it in."""
    return catalog.build(lake.root)


def _input(lake: Lake, contract: Contract, day: date, part: str = "data") -> Path | pl.DataFrame:
    path = lake.path(contract, day, part)
    return path if path.exists() else contract.empty()


def _keep_contract(path: Path, contract: Contract) -> pl.DataFrame:
    frame = pl.read_parquet(path, hive_partitioning=False, glob=False)
    contract.schema.validate(frame, lazy=True)
    return frame


def _figures(found: pl.DataFrame) -> dict[str, int | float | str]:
    """Return evidence by tier and reason, and the share of usable process keys that matched."""
    tiers = dict(found.group_by("MatchTier").len().sort("MatchTier").iter_rows())
    reasons = dict(found.drop_nulls("Reason").group_by("Reason").len().sort("Reason").iter_rows())
    matched = found.height - tiers.get("none", 0)
    usable = found.height - reasons.get("no_usable_key", 0)
    return {
        "match_rate": round(matched / usable, 4) if usable else 1.0,
        **{f"tier_{tier}": number for tier, number in tiers.items()},
        **{f"reason_{reason}": number for reason, number in reasons.items()},
    }


def quarantined(lake: Lake, day: date) -> pl.DataFrame:
    """Return how many records of `day` were turned away: Table, Rule, Rows."""
    folder = lake.path(QUARANTINE, day).parent
    parts = [
        pl.read_parquet(path, hive_partitioning=False, glob=False)
        for path in sorted(folder.glob("*.parquet"))
    ]
    rows = pl.concat([QUARANTINE.empty(), *parts])
    return rows.group_by("Table", "Rule").agg(Rows=pl.len().cast(pl.Int64)).sort("Table", "Rule")
