"""The stage that holds three accounts of a day's alerts against each other.

The alerts API listed some, hunting's AlertInfo names some, the lake holds some. Whatever one of
them names and the lake lacks gets a row that says why. It is a report: it heals nothing.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final

import polars as pl

from etl.contracts import core, raw
from etl.contracts.hunting import hunting
from etl.contracts.ops import RECONCILIATION
from etl.errors import AccessError, RequestRefused, UntrustedHost
from etl.lake.lake import Lake
from etl.sources.alerts import AlertSource, instants
from etl.stages.report import Report
from etl.windows import Window

log = logging.getLogger(__name__)

ASKED_BY_NAME: Final = 50
"""Alerts of a day that the API is asked for by id: hunting names them, the lake does not."""

_ENDPOINT: Final = "Microsoft Defender for Endpoint"


def publish(source: AlertSource, lake: Lake, day: date) -> Report:
    """Replace AlertReconciliation of `day`: every alert that was listed or is dated on the day.

    Raises LakeError where the lake cannot be written; a refusal of the API is no failure.
    """
    rows = _accounts(lake, source, day)
    unknown = rows.filter(~pl.col("InLake") & ~pl.col("InApi"))["AlertId"].to_list()
    reasons = dict(_reasons(source, unknown, Window.of_day(day)))
    missing = (
        pl.when(pl.col("InApi") & ~pl.col("InLake"))
        .then(pl.lit("quarantined"))
        .when(~pl.col("InLake"))
        .then(pl.col("AlertId").replace_strict(reasons, default=None, return_dtype=pl.String))
    )
    rows = rows.with_columns(
        TenantId=pl.lit(lake.tenant),
        Missing=missing,
        IngestedAt=pl.lit(datetime.now(UTC), dtype=RECONCILIATION.types["IngestedAt"]),
        SourceRequestId=pl.lit(None, dtype=pl.String),
    ).select(*RECONCILIATION.types)
    changed = lake.publish(RECONCILIATION, day, rows.sort("AlertId"))
    lost = rows.drop_nulls("Missing").filter(pl.col("Missing") != "other_day")
    report = Report.of(
        rows.height,
        changed=changed,
        in_api=int(rows["InApi"].sum()),
        in_hunting=int(rows["InHunting"].sum()),
        in_lake=int(rows["InLake"].sum()),
    )
    named = lost.select("AlertId", "Missing").iter_rows()
    told = tuple(f"{alert!r} is not in the lake: {reason}" for alert, reason in named)
    return replace(report, doubts=told)


def _accounts(lake: Lake, source: AlertSource, day: date) -> pl.DataFrame:
    """Return AlertId, Title, Timestamp and who names the alert: one row an alert."""
    info = lake.read(hunting("AlertInfo"), day).filter(pl.col("Timestamp").dt.date() == day)
    if source.name == "mde":  # which has no other product's alerts
        info = info.filter(pl.col("ServiceSource") == _ENDPOINT)
    hunted = info.select("AlertId", "Timestamp", HuntingTitle="Title").unique(
        "AlertId", keep="first", maintain_order=True
    )
    listed = lake.read(raw.ALERTS, day).select("AlertId").drop_nulls().unique()
    held = lake.read(core.ALERTS, day).select("AlertId", "Title")
    elsewhere = _elsewhere(lake, day, hunted.join(held, on="AlertId", how="anti"))
    return (
        pl.concat([hunted.select("AlertId"), listed, held.select("AlertId")])
        .unique()
        .join(hunted.with_columns(InHunting=True), on="AlertId", how="left")
        .join(listed.with_columns(InApi=True), on="AlertId", how="left")
        .join(held.with_columns(InLake=True), on="AlertId", how="left")
        .join(elsewhere.with_columns(Elsewhere=True), on="AlertId", how="left")
        .with_columns(
            Title=pl.coalesce("Title", "HuntingTitle"),
            InHunting=pl.col("InHunting").fill_null(value=False),
            InApi=pl.col("InApi").fill_null(pl.col("Elsewhere")).fill_null(value=False),
            InLake=pl.col("InLake").fill_null(pl.col("Elsewhere")).fill_null(value=False),
        )
    )


def _elsewhere(lake: Lake, day: date, wanted: pl.DataFrame) -> pl.DataFrame:
    """Return those of some alerts that the lake holds under another day."""
    if not wanted.height:
        return wanted.select("AlertId")
    ids = wanted["AlertId"].to_list()
    paths = [lake.path(core.ALERTS, other) for other in lake.days(core.ALERTS) if other != day]
    if not paths:
        return wanted.select("AlertId").clear()
    rows = pl.scan_parquet(paths, glob=False, hive_partitioning=False)
    return rows.filter(pl.col("AlertId").is_in(ids)).select("AlertId").unique().collect()


def _reasons(source: AlertSource, ids: list[str], window: Window) -> Iterator[tuple[str, str]]:
    """Yield why the API did not list some alerts that hunting names."""
    asking = True
    for number, identity in enumerate(sorted(ids)):
        reason = "not_asked"
        if asking and number < ASKED_BY_NAME:
            try:
                reason = _reason(source, identity, window)
            except (RequestRefused, UntrustedHost) as error:
                log.warning("alert %r: %s", identity, error)  # of this one; others may be answered
            except AccessError as error:
                asking = False
                log.warning("alerts are not asked for by id any more: %s", error)
        yield identity, reason


def _reason(source: AlertSource, identity: str, window: Window) -> str:
    alert = source.knows(identity)
    if alert is None:
        return "not_in_api"
    created = instants([alert], source.created)[0]
    return "not_listed" if window.start <= created < window.end else "other_day"
