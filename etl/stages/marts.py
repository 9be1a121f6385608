"""The stages that correlate a day and publish its marts, and that renew the catalog."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

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
from etl.lake.engine import Engine
from etl.lake.lake import Lake
from etl.models.correlation import (
    MADE,
    PER_ALERT,
    Learned,
    correlate,
    digests,
    evidence_sources,
    model,
    tell,
)
from etl.models.relations import Inputs, Source, aliases, relate
from etl.stages.made import Made, Told, affected, forget, stamp
from etl.stages.report import Report

log = logging.getLogger(__name__)

ORDER: Final = {
    CORRELATED_ALERTS.table: "AlertId, EvidenceId, Timestamp, EventTable, EventId",
    ALERT_CORRELATION.table: "AlertId, EvidenceId",
    ALERT_VALIDATION.table: "AlertId",
    PROCESS_TREE.table: "AlertId, Position",
    ALERT_TIMELINE.table: "AlertId, TimestampTicks, EventTable, EventId",
}
"""In what order each mart is written."""


def publish(
    lake: Lake, day: date, tolerance_ms: int, landing_minutes: int = 40
) -> dict[str, Report]:
    """Bring the marts of `day` that are made of alerts and telemetry up to date.

    A miss stays open for `landing_minutes`. Where only some alerts changed since the marts were
    made, these are correlated anew and the rows of the others stay. One run at a time does this for
    a tenant. Raises pandera's SchemaErrors where a mart breaks its contract, and LakeError.
    """
    tolerance = tolerance_ms * 1000 * ticks.PER_MICROSECOND
    landing = landing_minutes * ticks.PER_MINUTE
    with (
        lake.alone("marts"),
        lake.staging() as folder,
        engine.connection(folder, again=True) as duck,
    ):
        given: dict[str, Source] = {**inputs(lake, day)}
        before = Made.read(lake, day)
        now = _told(duck, lake, day, given, [tolerance, landing])
        misses = lake.read(ALERT_CORRELATION, day).select("AlertId", "Reason").drop_nulls()
        anew = affected(before, now, misses, aliases(duck, given[DEVICE_INFO]))
        if anew is not None and before is not None:
            given = {**given, **_only(given, anew), **before.learned().inputs()}
        few = len(now.alerts if anew is None else anew)
        log.info("%s: %d of %d alerts to be correlated", day, few, len(now.alerts))
        files = {}
        if anew is None or anew:
            files = _correlate(duck, given, tolerance, landing, folder)
            for contract in MADE:
                contract.schema.validate(_read(files[contract.table]), lazy=True)
            now = now.learning(Learned.of(duck))
        elif before is not None:
            now = now.learning(before.learned())
        if anew:
            files = {name: _merge(duck, lake, day, name, files[name], anew) for name in files}
        forget(lake, day)
        changed = {
            contract.table: contract.table in files
            and lake.publish_file(contract, day, files[contract.table])
            for contract in MADE
        }
        replace(now, marts=_stamps(lake, day, MADE)).keep(lake, day)
    rows = {contract.table: lake.rows(contract, day) for contract in MADE}
    found = lake.read(ALERT_CORRELATION, day)
    figures = {
        "AlertCorrelation": _figures(found),
        "AlertValidation": _counts(lake.read(ALERT_VALIDATION, day), "Verdict", "verdict"),
    }
    matched = found.filter(pl.col("MatchTier") != "none").height
    log.info("%s: %d evidence items tied to %d events", day, matched, rows["CorrelatedAlerts"])
    return {
        table: Report.of(number, changed=changed[table], **figures.get(table, {}))
        for table, number in rows.items()
    }


def _correlate(
    duck: Engine, given: Inputs, tolerance: int, landing: int, folder: Path
) -> dict[str, Path]:
    """Return the staged files of the marts, by table."""
    marts = correlate(duck, given, tolerance, folder, landing)
    story = tell(duck, folder)
    return {
        CORRELATED_ALERTS.table: marts.correlated,
        ALERT_CORRELATION.table: marts.correlation,
        ALERT_VALIDATION.table: marts.validation,
        PROCESS_TREE.table: story.tree,
        ALERT_TIMELINE.table: story.timeline,
    }


def _told(duck: Engine, lake: Lake, day: date, given: Inputs, parameters: list[int]) -> Made:
    """Return what the marts of a day are to be made of."""
    ledger = lake.read(LEDGER, day, "hunting")
    devices = pl.concat(
        lake.read(table, day).select("AlertId", "DeviceId").drop_nulls()
        for table in (ALERT_DEVICES, ALERT_EVIDENCE)
    )
    named = {
        str(alert): sorted(set(several))
        for alert, several in devices.group_by("AlertId").agg("DeviceId").iter_rows()
    }
    alerts = {
        alert: Told(digest, named.get(alert, [])) for alert, digest in digests(duck, given).items()
    }
    telemetry = [hunting(table) for table in (*EVENT_TABLES, DEVICE_INFO)]
    return Made(
        shared={
            "rules": model(),
            "parameters": parameters,
            "telemetry": _stamps(lake, day, telemetry),
            "devices": sorted(set(devices["DeviceId"])),
            "statuses": sorted(ledger["Status"].unique()),
        },
        started=str(ledger["StartedAt"].min()),
        alerts=alerts,
        evidence_sources=evidence_sources(duck, given).to_dicts(),
        event_sources=[],
        oldest=[],
        marts=_stamps(lake, day, MADE),
    )


def _stamps(lake: Lake, day: date, tables: Sequence[Contract]) -> dict[str, list[int] | None]:
    return {contract.table: stamp(lake.path(contract, day)) for contract in tables}


def _only(given: Inputs, alerts: set[str]) -> dict[str, pl.DataFrame]:
    """Return the rows of some alerts of all inputs whose rows belong to one."""
    few = {}
    for name in PER_ALERT:
        source = given[name]
        frame = source if isinstance(source, pl.DataFrame) else _read(Path(str(source)))
        few[name] = frame.filter(pl.col("AlertId").is_in(alerts))
    return few


def _merge(duck: Engine, lake: Lake, day: date, table: str, new: Path, anew: set[str]) -> Path:
    """Return a file of the published rows of a mart, with those of some alerts replaced."""
    relate(duck, "Anew", pl.DataFrame({"AlertId": sorted(anew)}))
    relate(duck, "Published", lake.path(next(c for c in MADE if c.table == table), day))
    relate(duck, "Corrected", new)
    merged = new.with_name(f"merged-{new.name}")
    rows = "from Published anti join Anew using (AlertId) union all from Corrected"
    engine.write(duck, f"from ({rows}) order by {ORDER[table]}", merged)
    return merged


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
