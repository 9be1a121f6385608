"""The stage that draws insight from a correlated day: prevalence, detectors' scores and stories."""

import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from etl.contracts.contract import Contract
from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE, ALERTS
from etl.contracts.hunting import EVENT_TABLES, hunting
from etl.contracts.insight import INSIGHT
from etl.contracts.mart import ALERT_CORRELATION, CORRELATED_ALERTS
from etl.contracts.story import PROCESS_TREE
from etl.lake import engine
from etl.lake.lake import Lake
from etl.models.insight import draw, name_things
from etl.models.relations import Inputs
from etl.stages.report import Report

log = logging.getLogger(__name__)

_OF_DAY: Final = (ALERTS, CORRELATED_ALERTS, ALERT_CORRELATION, PROCESS_TREE)

_FIGURES: Final = {
    "AlertPrevalence": {
        "alerts": pl.col("AlertId").n_unique(),
        "values": pl.struct("Kind", "Value").n_unique(),
        "never_seen_before": (pl.col("Devices") == 0).sum(),
    },
    "DetectorScorecard": {
        "alerts": pl.col("Alerts").sum(),
        "alerts_matched": (pl.col("Alerts") - pl.col("AlertsNone")).sum(),
        "false_positives": pl.col("FalsePositives").sum(),
    },
    "IncidentStory": {
        "stories": pl.col("StoryId").n_unique(),
        "alerts_linked": (pl.col("StoryAlerts") > 1).sum(),
        "alerts_as_in_incident": (pl.col("Agreement") == "same").sum(),
    },
}
"""What is told of each mart beside its rows."""


def publish(lake: Lake, day: date) -> dict[str, Report]:
    """Replace mart/AlertPrevalence, mart/DetectorScorecard and mart/IncidentStory of `day`.

    Reads the day as it is published, and evidence and telemetry of the lake's days up to it. Raises
    pandera's SchemaErrors where a mart breaks its contract, and LakeError.
    """
    alerts = {
        contract.table: lake.files(contract, [day]) or contract.empty() for contract in _OF_DAY
    }
    with lake.staging() as folder:
        with engine.connection(folder) as duck:
            named = name_things(duck, {**alerts, **_events(lake, [day])}, folder)
        with engine.connection(folder) as duck:
            files = draw(duck, {**alerts, **named, **_until(lake, day)}, folder)
        figures = {contract.table: _judge(files[contract.table], contract) for contract in INSIGHT}
        changed = {
            contract.table: lake.publish_file(contract, day, files[contract.table])
            for contract in INSIGHT
        }
    log.info("%s: %d stories", day, figures["IncidentStory"][1]["stories"])
    return {
        table: Report.of(rows, changed=changed[table], **numbers)
        for table, (rows, numbers) in figures.items()
    }


def _until(lake: Lake, day: date) -> Inputs:
    """Return what the lake holds of the days up to one."""
    tables = (ALERT_EVIDENCE, ALERT_DEVICES, *map(hunting, EVENT_TABLES))
    days = sorted({one for table in tables for one in lake.days(table) if one <= day})
    return {
        "LakeEvidence": lake.files(ALERT_EVIDENCE, days) or ALERT_EVIDENCE.empty(),
        "LakeDevices": lake.files(ALERT_DEVICES, days) or ALERT_DEVICES.empty(),
        **_events(lake, days),
    }


def _events(lake: Lake, days: Sequence[date]) -> Inputs:
    tables = {table: hunting(table) for table in EVENT_TABLES}
    return {name: lake.files(table, days) or table.empty() for name, table in tables.items()}


def _judge(path: Path, contract: Contract) -> tuple[int, dict[str, int]]:
    """Hold a staged mart against its contract; return its rows and what else is told of it."""
    frame = pl.read_parquet(path, hive_partitioning=False, glob=False)
    contract.schema.validate(frame, lazy=True)
    return frame.height, frame.select(**_FIGURES[contract.table]).row(0, named=True)
