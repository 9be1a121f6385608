"""Drawing prevalence, detectors' scores and stories from a correlated day, as staged files.

Two engines work one after the other: one over the day's telemetry, which tells what the alerts name
and descend from, and one over the lake's, which tells how common that is. The rules are in `sql`.
"""

from pathlib import Path
from typing import Final

import polars as pl

from etl.contracts.insight import ALERT_PREVALENCE, DETECTOR_SCORECARD, INCIDENT_STORY
from etl.lake import engine
from etl.lake.engine import Engine
from etl.models import relations
from etl.models.components import components
from etl.models.relations import Sources, Steps

_OF_DAY: Final[Steps] = (
    ("all_events", "AllEvents", "view"),
    ("things", "Things", "view"),
    ("platforms", "Platforms", "table"),
    ("process_links", "ProcessLinks", "table"),
)

_OF_LAKE: Final[Steps] = (
    ("all_events", "AllEvents", "view"),
    ("speaking_devices", "SpeakingDevices", "table"),
    ("things", "Things", "view"),
)

_PREVALENCE: Final[Steps] = (
    ("lines", "Lines", "view"),
    ("command_shapes", "CommandShapes", "table"),
    ("thing_names", "ThingNames", "table"),
    ("alert_things", "AlertThings", "table"),
    ("sightings", "Sightings", "table"),
)

_STORIES: Final[Steps] = (
    ("story_things", "StoryThings", "table"),
    ("story_links", "StoryLinks", "table"),
)


_MARTS: Final = {
    "alert_prevalence": ALERT_PREVALENCE,
    "detector_scorecard": DETECTOR_SCORECARD,
    "incident_story": INCIDENT_STORY,
}
"""The select that each mart is."""


def name_things(duck: Engine, inputs: Sources, folder: Path) -> Sources:
    """Tell what the day's alerts name, and what their processes descend from, as relations.

    `inputs` are AlertCorrelation, AlertDevices, AlertEvidence and CorrelatedAlerts of the day, and
    the event tables of the day.
    """
    relations.offer(duck, inputs)
    relations.run(duck, _OF_DAY)
    named = {"MatchedThings": "matched_things", "Lineages": "lineages"}
    files = {name: folder / f"{file}.parquet" for name, file in named.items()}
    for name, file in named.items():
        engine.write(duck, relations.sql(file), files[name])
    return files


def draw(duck: Engine, inputs: Sources, folder: Path) -> dict[str, Path]:
    """Draw the marts of a day; return their staged files, by table.

    `inputs` are AlertCorrelation and Alerts of the day, what `name_things` told, and of all days of
    the lake up to this one the event tables, LakeEvidence and LakeDevices.
    """
    relations.offer(duck, inputs)
    relations.run(duck, (*_OF_LAKE, *_PREVALENCE, *_STORIES))
    duck.from_arrow(_stories(duck).to_arrow()).create_view("Stories")
    files = {contract.table: folder / f"{file}.parquet" for file, contract in _MARTS.items()}
    for file, contract in _MARTS.items():
        relations.write(duck, contract, file, files[contract.table])
    return files


def _stories(duck: Engine) -> pl.DataFrame:
    """Return the story of every alert that anything links."""
    links = duck.execute("select AlertId, FirstAlertId from StoryLinks").fetchall()
    found = components(links)
    return pl.DataFrame(
        list(found.items()), {"AlertId": pl.String, "StoryId": pl.String}, orient="row"
    )
