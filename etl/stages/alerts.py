"""The stages that are about alerts: pulled as they are, then read as the standard model."""

import json
import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime

import polars as pl

from etl.access.client import Client
from etl.contracts import core
from etl.contracts.judge import judge
from etl.contracts.ops import LEDGER, QUARANTINE
from etl.contracts.raw import ALERTS as RAW_ALERTS
from etl.errors import AccessError
from etl.lake.lake import Lake
from etl.normalise import alerts, evidence
from etl.sources.alerts import Page, created_in, listing
from etl.stages.report import Report
from etl.values import canonical, digest, part, text
from etl.windows import Window

log = logging.getLogger(__name__)

SOURCE = "graph"


def pull(client: Client, lake: Lake, day: date) -> Report:
    """Add to raw/Alerts of `day` what the service has now, and replace the day's ledger of it.

    Raises an AccessError; the ledger then says `failed` and the raw partition stays as it was.
    """
    window, started = Window.of_day(day), datetime.now(UTC)
    pages: list[Page] = []
    rows: dict[str, dict[str, object]] = {}
    try:
        for page in created_in(client, window):
            pages.append(page.without_records())
            for record in page.records:
                rows.setdefault(canonical(record), _row(lake, record, page))
    except AccessError as error:
        failed = ("failed", str(error))
        lake.publish(LEDGER, day, _ledger(lake, window, pages, started, failed), "alerts")
        raise
    known = lake.read(RAW_ALERTS, day)
    given = RAW_ALERTS.frame(list(rows.values()))
    kept = pl.concat([known, given]).unique(["AlertId", "ContentHash"], keep="first")
    changed = lake.publish(RAW_ALERTS, day, kept.sort("AlertId", "IngestedAt", "ContentHash"))
    missing = _missing(given, pages)
    outcome = ("partial", missing) if missing else ("complete", None)
    lake.publish(LEDGER, day, _ledger(lake, window, pages, started, outcome), "alerts")
    read, new = sum(page.rows for page in pages), kept.height - known.height
    first_seen = given.join(known, on=["AlertId", "ContentHash"], how="anti", nulls_equal=True)
    log.info("%s: %d alerts listed, %d new or changed", day, given.height, new)
    return Report(
        rows=kept.height,
        read=read,
        published=new,
        duplicates=read - first_seen.height,
        changed=changed,
        figures={"api_calls": sum(page.calls for page in pages)},
        incomplete=(missing,) if missing else (),
    )


def model(lake: Lake, day: date) -> dict[str, Report]:
    """Replace the core tables of `day` by what its raw alerts say.

    Returns a report per table.
    """
    raw = lake.read(RAW_ALERTS, day)
    states = alerts.versions(raw)
    seen = judge(
        states,
        core.ALERT_VERSIONS,
        source=SOURCE,
        raw=states["Raw"],
        faults=_elsewhere(states, day),
        rule="created on the day asked for",
    )
    history = seen.accepted.sort("AlertId", "LastUpdateTicks", "SeenAt", "ContentHash")
    newest = alerts.newest(history)
    records = list(alerts.parsed(newest))
    listed = sum(1 for _, record in records for _ in evidence.items(record))
    found = evidence.evidence(records)
    items = judge(found, core.ALERT_EVIDENCE, source=SOURCE, raw=found["Raw"])
    named = evidence.devices(records)
    devices = judge(named, core.ALERT_DEVICES, source=SOURCE, raw=named["DeviceId"])
    rejected = pl.concat([seen.rejected, items.rejected, devices.rejected])
    lake.publish(QUARANTINE, day, rejected.sort("Table", "Rule", "Raw"), "alerts")
    return {
        "AlertVersions": Report(
            rows=history.height,
            read=raw.height,
            published=history.height,
            quarantined=seen.rejected.height,
            changed=lake.publish(core.ALERT_VERSIONS, day, history),
        ),
        "Alerts": Report.of(
            newest.height, changed=lake.publish(core.ALERTS, day, alerts.alerts(newest))
        ),
        "AlertEvidence": Report(
            rows=items.accepted.height,
            read=listed,
            published=items.accepted.height,
            quarantined=items.rejected.height,
            duplicates=listed - found.height,
            changed=lake.publish(core.ALERT_EVIDENCE, day, items.accepted),
        ),
        "AlertDevices": Report(
            rows=devices.accepted.height,
            read=named.height,
            published=devices.accepted.height,
            quarantined=devices.rejected.height,
            changed=lake.publish(core.ALERT_DEVICES, day, devices.accepted),
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


def _row(lake: Lake, record: object, page: Page) -> dict[str, object]:
    alert = part(record)
    return {
        "TenantId": lake.tenant,
        "AlertId": text(alert.get("id")),
        "CreatedDateTime": text(alert.get("createdDateTime")),
        "LastUpdateDateTime": text(alert.get("lastUpdateDateTime")),
        "ContentHash": digest(record),
        "Record": json.dumps(record),
        "IngestedAt": datetime.now(UTC),
        "SourceRequestId": page.request_id,
    }


def _missing(frame: pl.DataFrame, pages: Sequence[Page]) -> str | None:
    """Return what is missing where the service announced more alerts than it gave."""
    announced = pages[0].announced or 0
    given = frame.select(pl.coalesce("AlertId", "Record").n_unique()).item()
    return f"{announced} alerts announced, {given} came" if given < announced else None


def _ledger(
    lake: Lake,
    window: Window,
    pages: Sequence[Page],
    started: datetime,
    outcome: tuple[str, str | None],
) -> pl.DataFrame:
    start, end = window.instants
    return LEDGER.frame([
        {
            "TenantId": lake.tenant,
            "Source": SOURCE,
            "Table": "Alerts",
            "WindowStart": start,
            "WindowEnd": end,
            "Slice": "created",
            "Status": outcome[0],
            "Detail": outcome[1],
            "Expected": pages[0].announced if pages else None,
            "Rows": sum(page.rows for page in pages),
            "Bytes": sum(page.size for page in pages),
            "Calls": sum(page.calls for page in pages),
            "Throttled": sum(page.throttled for page in pages),
            "StartedAt": started,
            "EndedAt": datetime.now(UTC),
            "QueryHash": digest(listing(window)),
            "IngestedAt": started,
            "SourceRequestId": pages[-1].request_id if pages else None,
        }
    ])  # fmt: skip
