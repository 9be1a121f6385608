"""The stage that reads raw alerts as the standard model: every state, and the newest of each."""

from dataclasses import replace
from datetime import date
from typing import Final

import polars as pl

from etl.contracts import core, raw
from etl.contracts.judge import judge
from etl.contracts.ops import QUARANTINE, SCHEMA_DRIFT
from etl.lake.lake import Lake
from etl.normalise import alerts
from etl.normalise.drift import drift, united
from etl.stages import batches
from etl.stages.batches import Parts
from etl.stages.report import Report
from etl.stages.watermarks import ALERTS_PART

BATCH: Final = 1000
"""Alerts read at once; bounds the memory this stage takes."""

_HISTORY: Final = "from Parts order by AlertId, LastUpdateTicks, SeenAt, ContentHash"
_NEWEST: Final = f"""
select {", ".join(core.ALERTS.types)} from Parts
qualify row_number() over (
    partition by TenantId, AlertId
    order by {core.NEWEST_FIRST}
) = 1
order by AlertId
"""  # noqa: S608 - names of the contract


def publish(lake: Lake, day: date) -> dict[str, Report]:
    """Replace AlertVersions, Alerts and the alerts' SchemaDrift of `day` by what raw alerts say.

    Returns a report per table. Raises LakeError where the lake cannot be written.
    """
    read, rejected, drifted = 0, [QUARANTINE.empty()], [SCHEMA_DRIFT.empty()]
    with lake.staging() as folder:
        states = Parts(core.ALERT_VERSIONS, folder)
        for batch in batches.read(lake.path(raw.ALERTS, day), BATCH):
            for source in sorted(set(batch["AlertSource"])):
                given = batch.filter(pl.col("AlertSource") == source)
                found = alerts.versions(given)
                verdict = judge(
                    found,
                    core.ALERT_VERSIONS,
                    source=source,
                    raw=found["Raw"],
                    faults=_elsewhere(found, day),
                    rule="created on the day asked for",
                )
                read += given.height
                states.add(verdict.accepted)
                rejected.append(verdict.rejected)
                drifted.append(drift(alerts.as_sent(verdict.accepted), source))
        changed = lake.publish_file(core.ALERT_VERSIONS, day, states.united(_HISTORY))
        newest = states.united(_NEWEST, "newest")
        rows = pl.scan_parquet(newest).select(pl.len()).collect().item()
        changed_too = lake.publish_file(core.ALERTS, day, newest)
    turned_away = pl.concat(rejected).sort("Table", "Rule", "Raw")
    lake.publish(QUARANTINE, day, turned_away, ALERTS_PART)
    strange = united(drifted)
    lake.publish(SCHEMA_DRIFT, day, strange, ALERTS_PART)
    return {
        "AlertVersions": Report(
            rows=states.rows,
            read=read,
            published=states.rows,
            quarantined=turned_away.height,
            changed=changed,
        ),
        "Alerts": Report.of(rows, changed=changed_too),
        "SchemaDrift": replace(
            Report.of(strange.height, changed=True), doubts=tuple(strange["Name"])
        ),
    }


def _elsewhere(states: pl.DataFrame, day: date) -> pl.Series:
    """Return what is wrong with states that were created on another day than was asked for."""
    other = pl.col("CreatedTime").dt.date() != day
    text = pl.format(
        "CreatedTime is {}, not on {}",
        pl.col("CreatedTime").dt.to_string("iso:strict"),
        pl.lit(str(day)),
    )
    return states.select(pl.when(other).then(text)).to_series()
