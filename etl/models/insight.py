"""Drawing prevalence, detectors' scores and stories from a correlated day, as staged files.

Two engines work one after the other: one over the day's telemetry, which tells what the alerts
name, and one over the lake's, which tells how common that is. The rules are in `sql`.
"""

from pathlib import Path
from typing import Final

import polars as pl

from etl.contracts.insight import ALERT_PREVALENCE, DETECTOR_SCORECARD, INCIDENT_STORY
from etl.lake import engine
from etl.lake.engine import Engine
from etl.models.components import components
from etl.models.relations import Inputs, Steps, relate, run, sql, write

AT_ONCE: Final = 4_000_000
"""Sightings that are told apart at once: what these need stays well under the engine's memory."""

_OF_DAY: Final[Steps] = (
    ("all_events", "AllEvents", "view"),
    ("things", "Things", "view"),
    ("matched_things", "MatchedThings", "table"),
    ("matched_lines", "Lines", "view"),
    ("command_shapes", "CommandShapes", "table"),
    ("thing_names", "ThingNames", "table"),
)

_OF_LAKE: Final[Steps] = (
    ("all_events", "AllEvents", "view"),
    ("known_devices", "KnownDevices", "table"),
    ("things", "Things", "view"),
    ("lineages", "Lineages", "view"),
    ("lines", "Lines", "view"),
    ("command_shapes", "CommandShapes", "view"),
    ("name_keys", "NameKeys", "table"),
    ("story_things", "StoryThings", "table"),
    ("story_links", "StoryLinks", "table"),
)

_MARTS: Final = {
    "alert_prevalence": ALERT_PREVALENCE,
    "detector_scorecard": DETECTOR_SCORECARD,
    "incident_story": INCIDENT_STORY,
}
"""The select that each mart is."""


def name_things(duck: Engine, inputs: Inputs, folder: Path) -> dict[str, Path]:
    """Tell what the day's alerts name, as relations AlertThings and ThingNames.

    `inputs` are Alerts, CorrelatedAlerts and the event tables of the day.
    """
    _relate(duck, inputs)
    run(duck, _OF_DAY)
    files = {name: folder / f"{name}.parquet" for name in ("AlertThings", "ThingNames")}
    engine.write(duck, sql("alert_things"), files["AlertThings"])
    engine.write(duck, "from ThingNames", files["ThingNames"])
    return files


def draw(duck: Engine, inputs: Inputs, folder: Path) -> dict[str, Path]:
    """Draw the marts of a day; return their staged files, by table.

    `inputs` are AlertCorrelation, Alerts and ProcessTree of the day, what `name_things` told, and
    of all days of the lake up to this one the event tables, LakeEvidence and LakeDevices.
    """
    _relate(duck, inputs)
    run(duck, _OF_LAKE)
    _relate(duck, {"ThingSightings": _sightings(duck, folder), "Stories": _stories(duck)})
    files = {contract.table: folder / f"{file}.parquet" for file, contract in _MARTS.items()}
    for file, contract in _MARTS.items():
        write(duck, contract, sql(file), files[contract.table])
    return files


def _relate(duck: Engine, inputs: Inputs) -> None:
    for name, source in inputs.items():
        relate(duck, name, source)


def _sightings(duck: Engine, folder: Path) -> list[Path]:
    """Return files of how often the lake saw what the alerts name.

    Things like a browser are in most of the lake's events; those are told apart part by part.
    """
    seen = folder / "SeenEvents.parquet"
    total = 1 + engine.write(duck, sql("seen_events"), seen) // AT_ONCE
    relate(duck, "SeenEvents", seen)
    files = [folder / f"Sightings-{number}.parquet" for number in range(total)]
    for number, file in enumerate(files):
        part = pl.DataFrame({"Number": number, "Total": total})
        duck.from_arrow(part.to_arrow()).create_view("Parts", replace=True)
        engine.write(duck, sql("thing_sightings"), file)
    return files


def _stories(duck: Engine) -> pl.DataFrame:
    """Return the story of every alert that anything links."""
    links = duck.execute("select AlertId, FirstAlertId from StoryLinks").fetchall()
    schema = {"AlertId": pl.String, "StoryId": pl.String}
    return pl.DataFrame(list(components(links).items()), schema, orient="row")
