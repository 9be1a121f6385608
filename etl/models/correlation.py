"""Running the correlation of one day: its relations in order, its marts as staged files.

Also told here: what evidence is still open, which is what hunts go by. The rules are in `sql`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from etl import ticks
from etl.contracts.mart import ALERT_CORRELATION, ALERT_VALIDATION, CORRELATED_ALERTS
from etl.lake.engine import Engine
from etl.models.relations import Inputs, Steps, offer, run, sql, write

RETENTION: Final = 30 * ticks.PER_DAY
"""How long hunting keeps telemetry (learn.microsoft.com/defender-xdr/advanced-hunting-limits)."""

LANDING: Final = 40 * ticks.PER_MINUTE
"""How long telemetry has been seen to take to arrive."""

NEAR: Final = ticks.PER_HOUR
"""How far around an alert's activity evidence is looked for at first, as in Microsoft's go-hunt."""

WIDE: Final = ticks.PER_DAY
"""How far it is looked for where nothing is near."""

_MATCHING: Final[Steps] = (
    ("same_process", "SameProcess(Sightings, Instances)", "macro"),
    ("decided", "Decided(Choices)", "macro"),
    ("platforms", "Platforms", "table"),
    ("evidence_keys", "EvidenceKeys", "table"),
    ("event_keys", "EventKeys", "view"),
    ("process_keys", "ProcessKeys", "table"),
    ("sightings", "Sightings", "table"),
    ("own_rows", "OwnRows", "view"),
    ("instances", "Instances", "table"),
    ("candidates", "Candidates", "table"),
    ("best", "Best", "table"),
    ("matches", "Matches", "table"),
)
"""Which process every evidence item means, by its key: file, relation, kind."""

_PIVOTING: Final[Steps] = (
    ("leads", "Leads", "table"),
    ("pivot_events", "PivotEvents", "view"),
    ("file_facts", "FileFacts", "table"),
    ("file_hits", "FileHits", "table"),
    ("network_hits", "NetworkHits", "table"),
    ("registry_paths", "RegistryPaths", "table"),
    ("registry_hits", "RegistryHits", "table"),
    ("account_hits", "AccountHits", "table"),
    ("pivots", "Pivots", "table"),
)
"""What else events tell of evidence that has no key."""

_RELATIVES: Final[Steps] = (("process_links", "ProcessLinks", "table"),)

_EVENTS: Final[Steps] = (
    ("speaking_devices", "SpeakingDevices", "table"),
    ("possible_homes", "PossibleHomes", "table"),
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


@dataclass(frozen=True, slots=True)
class Open:
    """What a day's telemetry does not tell yet."""

    leads: pl.DataFrame
    """Evidence without a match, by what it can be looked for; the columns of `sql/leads.sql`."""

    ancestors: pl.DataFrame
    """Ancestors of matched processes that are named, but without their own creation row."""

    matched: pl.DataFrame
    """Matched processes (Depth 0) and the descendants known so far, whose children may be asked."""


def match(duck: Engine, inputs: Inputs, tolerance: int) -> None:
    """Make the relation `Matches`: which process instance every evidence item means, by its key.

    Reads keys and what tells processes apart, no whole rows; `tolerance` is in ticks.
    """
    _offer(duck, inputs, tolerance, LANDING)
    run(duck, _MATCHING)


def open_leads(duck: Engine, inputs: Inputs, tolerance: int) -> Open:
    """Tell what is still open of one day, from the same inputs as `correlate`."""
    _offer(duck, inputs, tolerance, LANDING)
    run(duck, (*_MATCHING, *_PIVOTING, *_RELATIVES))
    leads, ancestors, matched = (
        duck.sql(sql(file)).pl() for file in ("open_leads", "ancestors", "descendants")
    )
    return Open(leads, ancestors, matched)


def correlate(
    duck: Engine, inputs: Inputs, tolerance: int, folder: Path, landing: int = LANDING
) -> Marts:
    """Correlate one day; `tolerance` and `landing` are in ticks.

    `inputs` are AlertDevices, AlertEvidence, Alerts, Hunts, Ledger and the event tables, each as
    Parquet files or, where there is none yet, as a frame.
    """
    _offer(duck, inputs, tolerance, landing)
    run(duck, (*_MATCHING, *_PIVOTING, *_EVENTS))
    names = ("correlated", "correlation", "validation")
    marts = Marts(*(folder / f"{name}.parquet" for name in names))
    write(duck, CORRELATED_ALERTS, sql("correlated_alerts"), marts.correlated)
    write(
        duck, ALERT_CORRELATION, "from Correlation order by AlertId, EvidenceId", marts.correlation
    )
    write(duck, ALERT_VALIDATION, sql("alert_validation"), marts.validation)
    return marts


def _offer(duck: Engine, inputs: Inputs, tolerance: int, landing: int) -> None:
    spans = {"Landing": landing, "Retention": RETENTION, "Near": NEAR, "Wide": WIDE}
    offer(duck, {**inputs, "Parameters": pl.DataFrame({"Tolerance": tolerance, **spans})})
