"""Running the correlation of one day: its relations in order, its marts as staged files.

Also told here: what evidence is still open, which is what hunts go by. The rules are in `sql`.
"""

from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import Final, Self

import polars as pl

from etl import ticks
from etl.contracts.mart import ALERT_CORRELATION, ALERT_VALIDATION, CORRELATED_ALERTS
from etl.contracts.story import ALERT_TIMELINE, PROCESS_TREE
from etl.lake.engine import Engine
from etl.models.relations import Inputs, Steps, offer, relate, run, sql, texts, write
from etl.models.steps import EVENTS, MATCHING, PIVOTING, RELATIVES, TREE

RETENTION: Final = 30 * ticks.PER_DAY
"""How long hunting keeps telemetry (learn.microsoft.com/defender-xdr/advanced-hunting-limits)."""

LANDING: Final = 40 * ticks.PER_MINUTE
"""How long telemetry has been seen to take to arrive."""

AROUND: Final = 5 * ticks.PER_SECOND
"""How much further than the tolerance another time of a pid may bear on what evidence means.

Times are written in whole seconds at the coarsest, and may be rounded: a naming, the creation row
that it means and another one that it could mean are within three of them.
"""

MADE: Final = (
    CORRELATED_ALERTS, ALERT_CORRELATION, ALERT_VALIDATION, PROCESS_TREE, ALERT_TIMELINE
)  # fmt: skip
"""The marts that are made here."""

PER_ALERT: Final = ("Alerts", "AlertDevices", "AlertEvidence", "Hunts")
"""Inputs of the correlation whose rows belong to one alert each."""

NEAR: Final = ticks.PER_HOUR
"""How far around an alert's activity evidence is looked for at first, as in Microsoft's go-hunt."""

WIDE: Final = ticks.PER_DAY
"""How far it is looked for where nothing is near."""

ABOVE: Final = 32
"""Generations of ancestors that are followed, so that none is without end."""

BELOW: Final = 2
"""Generations of descendants that are hunted and told."""


@dataclass(frozen=True, slots=True)
class Marts:
    """The staged files of one day's marts."""

    correlated: Path
    correlation: Path
    validation: Path


@dataclass(frozen=True, slots=True)
class Learned:
    """What a day's rows tell together: part of every alert's correlation, whatever alert it is."""

    evidence_sources: pl.DataFrame
    """How coarsely sources of alerts write times: `sql/evidence_sources.sql`."""

    event_sources: pl.DataFrame
    """How coarsely telemetry does: `sql/event_sources.sql`."""

    oldest: pl.DataFrame
    """When the oldest event was: `sql/oldest.sql`."""

    @classmethod
    def of(cls, duck: Engine) -> Self:
        """Return what `correlate` learned in an engine, or was given."""
        names = ("EvidenceSources", "EventSources", "Oldest")
        return cls(*(duck.sql(f"from {name} order by all").pl() for name in names))

    def inputs(self) -> Inputs:
        """Return the relations that need not be made."""
        return {
            "EvidenceSources": self.evidence_sources,
            "EventSources": self.event_sources,
            "Oldest": self.oldest,
        }


@dataclass(frozen=True, slots=True)
class Story:
    """The staged files of what happened around one day's alerts."""

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


def match(duck: Engine, inputs: Inputs, tolerance: int) -> None:
    """Make the relation `Matches`: which process instance every evidence item means, by its key.

    Reads keys and what tells processes apart, no whole rows; `tolerance` is in ticks.
    """
    _offer(duck, inputs, tolerance, LANDING)
    run(duck, _without(MATCHING, inputs))


def open_leads(duck: Engine, inputs: Inputs, tolerance: int) -> Open:
    """Tell what is still open of one day, from the same inputs as `correlate`."""
    _offer(duck, inputs, tolerance, LANDING)
    run(duck, (*MATCHING, *PIVOTING, *RELATIVES))
    leads, ancestors, matched = (
        duck.sql(sql(file)).pl() for file in ("open_leads", "ancestors", "descendants")
    )
    return Open(leads, ancestors, matched)


def correlate(
    duck: Engine, inputs: Inputs, tolerance: int, folder: Path, landing: int = LANDING
) -> Marts:
    """Correlate one day; `tolerance` and `landing` are in ticks.

    `inputs` are AlertDevices, AlertEvidence, Alerts, DeviceInfo, Hunts, Ledger and the event
    tables, each as Parquet files or, where there is none yet, as a frame. With some alerts only,
    all that share a device, it makes what it would make of them among all, if what was `Learned` of
    all is given as well.
    """
    _offer(duck, inputs, tolerance, landing)
    run(duck, (*_without(MATCHING, inputs), *PIVOTING, *EVENTS))
    names = ("correlated", "correlation", "validation")
    marts = Marts(*(folder / f"{name}.parquet" for name in names))
    write(duck, CORRELATED_ALERTS, sql("correlated_alerts"), marts.correlated)
    write(
        duck, ALERT_CORRELATION, "from Correlation order by AlertId, EvidenceId", marts.correlation
    )
    write(duck, ALERT_VALIDATION, sql("alert_validation"), marts.validation)
    return marts


def tell(duck: Engine, folder: Path) -> Story:
    """Tell the story of every alert, from what `correlate` made in the same engine."""
    run(duck, (*RELATIVES, *TREE))
    story = Story(folder / "tree.parquet", folder / "timeline.parquet")
    write(duck, PROCESS_TREE, "from Tree order by AlertId, Position", story.tree)
    write(duck, ALERT_TIMELINE, sql("alert_timeline"), story.timeline)
    return story


def evidence_sources(duck: Engine, inputs: Inputs) -> pl.DataFrame:
    """Return how coarsely sources of alerts write times, from the alerts among `inputs`."""
    for name in PER_ALERT:
        relate(duck, name, inputs[name])
    run(duck, [step for step in MATCHING if step[0] == "device_families"])
    sources: pl.DataFrame = duck.sql(sql("evidence_sources") + "order by all").pl()
    return sources


def digests(duck: Engine, inputs: Inputs) -> dict[str, str]:
    """Return a digest of all that is told of each alert beside telemetry, by AlertId."""
    for name in PER_ALERT:
        relate(duck, name, inputs[name])
    return dict(duck.sql(sql("alert_digests")).fetchall())


def model() -> str:
    """Return a digest of the rules and of the marts' columns: another one wherever one changed."""
    kin = f"{RETENTION} {NEAR} {WIDE} {AROUND} {ABOVE} {BELOW}"
    columns = str([contract.types for contract in MADE])
    return md5((texts() + kin + columns).encode(), usedforsecurity=False).hexdigest()


def _without(steps: Steps, inputs: Inputs) -> Steps:
    """Return the steps whose relations are not given."""
    return [step for step in steps if step[1] not in inputs]


def _offer(duck: Engine, inputs: Inputs, tolerance: int, landing: int) -> None:
    spans = {
        "Landing": landing, "Retention": RETENTION, "Near": NEAR, "Wide": WIDE, "Around": AROUND,
    }  # fmt: skip
    kin = {"Above": ABOVE, "Below": BELOW}
    given = pl.DataFrame({"Tolerance": tolerance, **spans, **kin})
    offer(duck, {**inputs, "Parameters": given})
