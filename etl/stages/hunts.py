"""The stage that hunts for what the windows around the alerts did not hold: go hunt, in rounds.

Evidence without a match is looked for by its process key, else by what it names; ancestors and
descendants of matched processes likewise. Each round asks in few queries, its rows join the same
tables, and what is found decides the next. What is worth a hunt is told in `etl.stages.leads`.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from etl import ticks
from etl.contracts.core import ALERTS
from etl.contracts.mart import ALERT_HUNTS
from etl.errors import AccessError
from etl.lake import engine
from etl.lake.lake import Lake
from etl.lake.spool import Spool
from etl.models.correlation import Open, open_leads
from etl.sources import hunted, portal
from etl.sources import hunts as queries
from etl.sources.hunted import Way
from etl.sources.hunting import Hunting
from etl.sources.hunts import Hunt
from etl.sources.outcomes import Pulled, hash_of
from etl.stages import events, leads, marts
from etl.stages.landing import HUNTS, Landing, by_table
from etl.stages.options import Options
from etl.stages.remembered import Remembered
from etl.stages.report import Report
from etl.values import Record
from etl.windows import Window

log = logging.getLogger(__name__)

LEDGER_PART: Final = "hunts"
"""The part of the ledger that is about what was hunted for."""

MOST_ROUNDS: Final = 12
"""Rounds after which ancestors are not followed further: each climbs two generations."""

REST: Final = timedelta(hours=6)
"""How long a hunt rests whose window is not over yet: what lands near comes without it."""

_WORST_FIRST: Final = ("failed", "truncated", "partial", "complete")


@dataclass(frozen=True, slots=True)
class Hunted:
    """What a day's hunts did to the raw and the typed tables, and to mart/AlertHunts."""

    raw: dict[str, Report]
    typed: dict[str, Report]
    hunts: Report


def pull(
    hunting: Hunting, lake: Lake, day: date, options: Options, known: tuple[str, ...], folder: Path
) -> Hunted:
    """Hunt for the day's evidence that has no match yet, and for the kin of what has.

    `known` are the event tables that the tenant has; `folder` takes what is not published yet.
    Adds to the raw and typed telemetry of `day`, and replaces mart/AlertHunts and that part of the
    ledger. Raises an AccessError that asking for less does not cure; what came before it is kept.
    """
    spool = Spool.open(lake, day)
    way = Way(options.max_rows, options.parallel, known)
    chase = _Chase(lake, day, options, known, Landing(lake, day, folder, HUNTS))
    asked = Remembered(hunting, spool)
    raw: dict[str, Report] = {}
    typed: dict[str, Report] = {}
    failure: AccessError | None = None
    for number in range(MOST_ROUNDS):
        wanted = _round(spool, number, chase)
        if not wanted or failure:
            break
        try:
            hunted.pull(asked, wanted, way, chase.take)
        except AccessError as error:
            failure = error
        for table in chase.landing.tables:
            report, new = chase.landing.publish(table)
            raw[table] = report.after(raw.get(table))
            if new is not None:
                chase.found = None
                typed[table] = events.publish(lake, day, table, new).after(typed.get(table))
        log.info("%s: hunting, round %d: %d hunts", day, number + 1, len(wanted))
    chase.landing.record(LEDGER_PART, options.portal)
    rows = chase.table()
    changed = lake.publish(ALERT_HUNTS, day, rows)
    if failure:
        raise failure
    return Hunted(raw, typed, chase.report(rows, changed=changed))


def _round(spool: Spool, number: int, chase: "_Chase") -> list[Hunt]:
    """Return the hunts of a round: those that it began with, if it was begun before."""
    kept = spool.frame(f"round-{number}")
    if kept is None:
        wanted = list(chase.next())
        kept = pl.DataFrame(
            {"Hunt": [leads.as_text(hunt) for hunt in wanted]}, schema={"Hunt": pl.String}
        )
        spool.keep(f"round-{number}", kept)
        return wanted
    wanted = [leads.from_text(text) for text in kept["Hunt"]]
    chase.tried.update(map(chase.name, wanted))
    return wanted


@dataclass(slots=True)
class _Chase:
    """All rounds of one day: what was tried, and what it brought."""

    lake: Lake
    day: date
    options: Options
    known: tuple[str, ...]
    landing: Landing
    found: Open | None = None
    """What had no match when it was last looked at; None once there is more telemetry."""

    tried: set[tuple[str, str | None, str]] = field(default_factory=set)
    _answers: list[tuple[Hunt, Pulled, int]] = field(default_factory=list)

    def next(self) -> Iterator[Hunt]:
        """Yield the hunts of the next round, and take them for tried."""
        final = self._final()
        for reaches in leads.hunts(self._open(), self.lake, self.day):
            for hunt in reaches:
                name = self.name(hunt)
                if name in self.tried:
                    continue
                self.tried.add(name)
                if self._id(hunt) not in final:
                    yield hunt
                    break

    def name(self, hunt: Hunt) -> tuple[str, str | None, str]:
        """Return what tells a hunt from others: two processes of one coarse time share one."""
        return hunt.alert, hunt.evidence, self._id(hunt)

    def _open(self) -> Open:
        """Return what has no match yet, as it was where nothing has come since."""
        if self.found is None:
            with self.lake.staging() as folder, engine.connection(folder, again=True) as duck:
                inputs = marts.inputs(self.lake, self.day)
                self.found = open_leads(duck, inputs, self.options.tolerance)
        return self.found

    def take(self, batch: Sequence[Hunt], outcome: Pulled, records: list[Record]) -> None:
        """Take what one query brought to its hunts."""
        self.landing.add_of(outcome, by_table(records))
        for hunt, rows in zip(batch, queries.credit(batch, records), strict=True):
            self._answers.append((hunt, outcome, rows))

    def _id(self, hunt: Hunt) -> str:
        """Return the name of a hunt: that of the query that asks for it alone."""
        return hash_of(queries.query([hunt], self.known).kql)

    def _final(self) -> set[str]:
        """Return the hunts of earlier pulls that found all there is, or were asked of late."""
        done = self.lake.read(ALERT_HUNTS, self.day).filter(Status="complete")
        end = pl.lit(Window.of_day(self.day).instants[1])
        due = pl.when(pl.col("Reach") == "key").then(end).otherwise("WindowEnd")
        landing = pl.duration(microseconds=self.options.landing // ticks.PER_MICROSECOND)
        lately = pl.lit(datetime.now(UTC) - REST)
        settled = (pl.col("HuntedAt") >= due + landing) | (pl.col("HuntedAt") >= lately)
        return set(done.filter(settled)["HuntId"])

    def table(self) -> pl.DataFrame:
        """Return mart/AlertHunts: what was hunted now, and what before for alerts of now."""
        alerts = self.lake.read(ALERTS, self.day).select("AlertId")
        before = self.lake.read(ALERT_HUNTS, self.day).join(alerts, on="AlertId", how="semi")
        rows = ALERT_HUNTS.frame(list(self._rows()))
        key = ["AlertId", "EvidenceId", "HuntId"]
        kept = before.join(rows, on=key, how="anti", nulls_equal=True)
        return pl.concat([rows, kept]).sort(key)

    def report(self, rows: pl.DataFrame, *, changed: bool) -> Report:
        """Return what the hunts came to."""
        outcomes = self.landing.outcomes
        failed = [o for o in outcomes if o.status == "failed"]
        doubtful = [o for o in outcomes if o.status in {"truncated", "partial"}]
        return Report(
            rows=rows.height,
            read=rows.height,
            published=rows.height,
            changed=changed,
            figures={
                "hunting_calls": sum(outcome.calls for outcome in outcomes),
                "throttled": sum(outcome.throttled for outcome in outcomes),
                "hunts": len({leads.about(hunt) for hunt, _, _ in self._answers}),
            },
            incomplete=tuple(f"{o.part}: {o.detail}" for o in failed),
            doubts=tuple(f"{o.part}: {o.status}, {o.detail}" for o in doubtful),
        )

    def _rows(self) -> Iterator[dict[str, object]]:
        """Yield a row a hunt; one that was divided by time is one all the same."""
        told: dict[str, list[tuple[Hunt, Pulled, int]]] = {}
        for answer in self._answers:
            told.setdefault(leads.about(answer[0]), []).append(answer)
        for answers in told.values():
            hunt = _whole([hunt for hunt, _, _ in answers])
            outcomes = [outcome for _, outcome, _ in answers]
            last = max(outcomes, key=lambda outcome: outcome.ended)
            query = queries.query([hunt], self.known).kql
            start, end = hunt.window.instants
            statuses = {outcome.status for outcome in outcomes}
            yield {
                "TenantId": self.lake.tenant,
                "AlertId": hunt.alert,
                "EvidenceId": hunt.evidence,
                "HuntId": hash_of(query),
                "Kind": hunt.lead.kind,
                "Reach": hunt.reach,
                "WindowStart": start,
                "WindowEnd": end,
                "Query": query,
                "PortalUrl": portal.link(self.options.portal, query),
                "RanAs": last.query_hash,
                "Status": next(status for status in _WORST_FIRST if status in statuses),
                "Rows": sum(rows for _, _, rows in answers),
                "HuntedAt": min(outcome.started for outcome in outcomes),
                "IngestedAt": last.ended,
                "SourceRequestId": last.request_id,
            }


def _whole(hunts: Sequence[Hunt]) -> Hunt:
    """Return a hunt from the parts that its window was divided into."""
    start = min(hunt.window.start for hunt in hunts)
    end = max(hunt.window.end for hunt in hunts)
    return replace(hunts[0], window=Window(start, end))
