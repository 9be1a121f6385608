"""Running the correlation of one day: its relations in order, its marts as staged files.

Also told here: what evidence is still open, which is what hunts go by. The rules are in `sql`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import polars as pl

from etl import ticks
from etl.contracts.contract import Contract
from etl.contracts.hunting import EVENT_TABLES, hunting
from etl.contracts.mart import ALERT_CORRELATION, ALERT_VALIDATION, CORRELATED_ALERTS
from etl.contracts.story import ALERT_TIMELINE, PROCESS_TREE
from etl.lake import engine
from etl.lake.engine import Engine

RETENTION: Final = 30 * ticks.PER_DAY
"""How long hunting keeps telemetry (learn.microsoft.com/defender-xdr/advanced-hunting-limits)."""

LANDING: Final = 40 * ticks.PER_MINUTE
"""How long telemetry has been seen to take to arrive."""

NEAR: Final = ticks.PER_HOUR
"""How far around an alert's activity evidence is looked for at first, as in Microsoft's go-hunt."""

WIDE: Final = ticks.PER_DAY
"""How far it is looked for where nothing is near."""

ABOVE: Final = 32
"""Generations of ancestors that are followed, so that none is without end."""

BELOW: Final = 2
"""Generations of descendants that are hunted and told."""

_Steps = Sequence[tuple[str, str, str]]
_Inputs = Mapping[str, Path | pl.DataFrame]

_KEYS: Final[_Steps] = (
    ("all_events", "AllEvents", "view"),
    ("event_keys", "EventKeys", "view"),
    ("platforms", "Platforms", "table"),
    ("evidence_keys", "EvidenceKeys", "table"),
    ("process_keys", "ProcessKeys", "table"),
    ("instances", "Instances", "table"),
    ("candidates", "Candidates", "table"),
    ("matches", "Matches", "table"),
    ("leads", "Leads", "table"),
    ("file_facts", "FileFacts", "table"),
    ("file_hits", "FileHits", "table"),
    ("network_hits", "NetworkHits", "table"),
    ("registry_paths", "RegistryPaths", "table"),
    ("registry_hits", "RegistryHits", "table"),
    ("account_hits", "AccountHits", "table"),
    ("pivots", "Pivots", "table"),
)
"""What every evidence item means, by process key or by a pivot: file, relation, kind."""

_RELATIVES: Final[_Steps] = (("process_links", "ProcessLinks", "table"),)

_TREE: Final[_Steps] = (
    ("named_events", "NamedEvents", "view"),
    ("kin_slots", "KinSlots", "table"),
    ("mentions", "Mentions", "table"),
    ("known_processes", "KnownProcesses", "table"),
    ("named_processes", "NamedProcesses", "table"),
    ("resolved_mentions", "ResolvedMentions", "table"),
    ("lineage", "Lineage", "table"),
    ("kin", "Kin", "table"),
    ("process_tree", "Tree", "table"),
)
"""What is near the matched processes: who each process is that an event names, and its parent."""

_EVENTS: Final[_Steps] = (
    ("speaking_devices", "SpeakingDevices", "table"),
    ("homes", "Homes", "table"),
    ("process_events", "ProcessEvents", "table"),
    ("matched_events", "MatchedEvents", "table"),
    ("events", "Events", "table"),
    ("alert_correlation", "Correlation", "table"),
)


@dataclass(frozen=True, slots=True)
class Marts:
    """The staged files of one day's marts."""

    correlated: Path
    correlation: Path
    validation: Path
    tree: Path
    timeline: Path


@dataclass(frozen=True, slots=True)
class Open:
    """What a day's telemetry does not tell yet."""

    leads: pl.DataFrame
    """Evidence without a match, by what it can be looked for; the columns of `sql/leads.sql`."""

    ancestors: pl.DataFrame
    """Ancestors of matched processes that are named, but without their own creation row."""

    matched: pl.DataFrame
    """Matched processes (Depth 0) and the descendants known so far, whose children may be asked."""


def open_leads(duck: Engine, inputs: _Inputs, tolerance: int) -> Open:
    """Tell what is still open of one day, from the same inputs as `correlate`."""
    _offer_all(duck, inputs, tolerance, LANDING)
    _run(duck, (*_KEYS, *_RELATIVES))
    leads, ancestors, matched = (
        duck.sql(sql(file)).pl() for file in ("open_leads", "ancestors", "descendants")
    )
    return Open(leads, ancestors, matched)


def correlate(
    duck: Engine, inputs: _Inputs, tolerance: int, folder: Path, landing: int = LANDING
) -> Marts:
    """Correlate one day; `tolerance` and `landing` are in ticks.

    `inputs` are AlertDevices, AlertEvidence, Alerts, Hunts, Ledger and the event tables, each as a
    Parquet file or, where there is none yet, as a frame.
    """
    _offer_all(duck, inputs, tolerance, landing)
    _run(duck, (*_KEYS, *_EVENTS, *_RELATIVES, *_TREE))
    names = ("correlated", "correlation", "validation", "tree", "timeline")
    marts = Marts(*(folder / f"{name}.parquet" for name in names))
    _write(duck, CORRELATED_ALERTS, sql("correlated_alerts"), marts.correlated)
    _write(
        duck, ALERT_CORRELATION, "from Correlation order by AlertId, EvidenceId", marts.correlation
    )
    _write(duck, ALERT_VALIDATION, sql("alert_validation"), marts.validation)
    _write(duck, PROCESS_TREE, "from Tree order by AlertId, Position", marts.tree)
    _write(duck, ALERT_TIMELINE, sql("alert_timeline"), marts.timeline)
    return marts


@cache
def sql(file: str) -> str:
    """Return the select of one file of `sql`."""
    return resources.files(__package__).joinpath("sql", f"{file}.sql").read_text()


def _offer_all(duck: Engine, inputs: _Inputs, tolerance: int, landing: int) -> None:
    for name, source in inputs.items():
        _offer(duck, name, source)
    spans = {"Landing": landing, "Retention": RETENTION, "Near": NEAR, "Wide": WIDE}
    kin = {"Above": ABOVE, "Below": BELOW}
    _offer(duck, "Parameters", pl.DataFrame({"Tolerance": tolerance, **spans, **kin}))


def _offer(duck: Engine, name: str, source: Path | pl.DataFrame) -> None:
    """Make a source a relation; of events the declared columns, as others may clash by type."""
    columns = ", ".join(hunting(name).types) if name in EVENT_TABLES else "*"
    if isinstance(source, Path):
        rows = duck.read_parquet(engine.literal(source), hive_partitioning=False)
    else:
        rows = duck.from_arrow(source.to_arrow())
    rows.project(columns).create_view(name)


def _run(duck: Engine, steps: _Steps) -> None:
    for file, name, kind in steps:
        duck.execute(f"create or replace temp {kind} {name} as {sql(file)}")


def _write(duck: Engine, contract: Contract, select: str, target: Path) -> None:
    columns = ", ".join(contract.types)
    engine.write(duck, f"select {columns} from ({select}\n)", target)  # noqa: S608
