"""Pulling what hunting says of alerts: what is asked for, in which parts, and what may fail."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limiters import limiter
from pulls import options
from runs import environment, generous

from etl import ticks
from etl.contracts import core, raw
from etl.contracts.hunting import hunting as contract
from etl.contracts.ops import LEDGER
from etl.errors import Throttled
from etl.lake import catalog
from etl.lake.lake import Lake
from etl.sandbox import Sandbox, Tenant
from etl.sandbox.tables import conform
from etl.settings import Settings
from etl.sources import alert_tables as tables
from etl.sources.hunting import Hunting
from etl.sources.outcomes import Pulled
from etl.stages import alert_tables, events
from etl.tenant import Tenant as Connected
from etl.windows import Window

DAY = date(2026, 1, 2)
WINDOW = Window.of_day(DAY)
NOW = datetime(2026, 1, 20, tzinfo=UTC)
BEFORE, NOON, BEHIND = (WINDOW.start + hours * ticks.PER_HOUR for hours in (-5, 12, 30))

Row = tuple[str, int]
"""An alert's id and when hunting dates it, in ticks."""


@dataclass(frozen=True, slots=True)
class Hunted:
    """A served tenant and a way into its hunting tables."""

    sandbox: Sandbox
    hunting: Hunting

    @property
    def queries(self) -> list[str]:
        """What was asked so far."""
        return [r.body_query for r in self.sandbox.requests if r.body_query is not None]

    def ask(self, ids: list[str], max_rows: int = 1000, table: str = "AlertInfo") -> list[Pulled]:
        """Ask for the rows of the day and of some alerts."""
        return list(tables.pull(self.hunting, table, WINDOW, ids, max_rows))


@contextmanager
def hunted(held: list[Row], **faults: Any) -> Iterator[Hunted]:  # noqa: ANN401
    """Serve a row of AlertInfo and of AlertEvidence for each of those given."""
    frame = pl.DataFrame(
        {
            "AlertId": [identity for identity, _ in held],
            "Timestamp": [moment for _, moment in held],
            "Title": [f"Title {number}" for number in range(len(held))],
            "EntityType": ["Machine"] * len(held),
        },
        schema={"AlertId": pl.String, "Timestamp": pl.Int64} | dict.fromkeys(
            ("Title", "EntityType"), pl.String
        ),
    )  # fmt: skip
    served = {
        table: conform(frame.select(pl.col(c) for c in frame.columns if c != unknown), table)
        for table, unknown in (("AlertInfo", "EntityType"), ("AlertEvidence", None))
    }
    tenant = Tenant.of([], tables=served)
    with (
        Sandbox(tenant, faults=generous(**faults), clock=lambda: NOW) as sandbox,
        Connected.connect(Settings.read(environment(sandbox, Path("unused")))) as connected,
    ):
        client = connected.hunting.client
        client.attempts, client.limiter = 2, limiter()
        yield Hunted(sandbox, Hunting(client))


def titles(outcomes: list[Pulled]) -> list[str]:
    """Return which rows came, one title a row."""
    return sorted(json.loads(row)["Title"] for outcome in outcomes for row in outcome.texts)


def of_rows(rows: list[Row], wanted: set[str]) -> list[str]:
    """Return which rows should come for some alerts."""
    return sorted(
        f"Title {number}"
        for number, (identity, moment) in enumerate(rows)
        if identity in wanted or WINDOW.start <= moment < WINDOW.end
    )


ROWS: list[Row] = [
    ("a", BEFORE), ("a", NOON), ("a", BEHIND), ("b", BEFORE), ("b", BEHIND), ("c", NOON),
    ("d", BEFORE), ("e", WINDOW.start - 1), ("f", WINDOW.start), ("g", WINDOW.end - 1),
    ("h", WINDOW.end), ("it's \"one\" \\ of", BEFORE),
]  # fmt: skip


@pytest.fixture(scope="module")
def whole() -> Iterator[Hunted]:
    """Serve some rows in good health."""
    with hunted(ROWS) as served:
        yield served


@pytest.mark.parametrize("table", ["AlertInfo", "AlertEvidence"])
@pytest.mark.parametrize(
    "ids", [[], ["a"], ["a", "b"], ["unknown"], [ROWS[-1][0]], sorted({i for i, _ in ROWS})]
)
def test_the_day_and_the_alerts_named_are_asked_for(
    whole: Hunted, table: str, ids: list[str]
) -> None:
    """One query brings the rows dated on the day, to the last tick, and all rows of some alerts."""
    before = len(whole.queries)
    (outcome,) = whole.ask(ids, table=table)

    assert titles([outcome]) == of_rows(ROWS, set(ids))
    assert (outcome.table, outcome.status, outcome.window) == (table, "complete", WINDOW)
    assert outcome.rows == len(outcome.texts)
    assert (outcome.calls, outcome.detail) == (1, None)
    assert len(whole.queries) == before + 1
    assert whole.queries[-1] == outcome.query


DRAWN = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.integers(0, 13).map(lambda n: BEFORE + n * 3 * ticks.PER_HOUR),
    ),
    max_size=14,
    unique_by=lambda row: row[1],
)


@settings(max_examples=6)
@given(DRAWN, st.sets(st.sampled_from("abcdefg")), st.integers(2, 9))
def test_a_result_that_is_cut_is_asked_for_in_halves(
    rows: list[Row], ids: set[str], limit: int
) -> None:
    """Every row comes whatever the limit, unless one alert alone has too many: that is said."""
    with hunted(rows, rows=limit) as served:
        outcomes = served.ask(sorted(ids), max_rows=limit)
        queries = len(served.queries)

    full = {i for i in ids if sum(identity == i for identity, _ in rows) >= limit}
    cut = {outcome.status for outcome in outcomes} - {"complete"}
    came, wanted = set(titles(outcomes)), set(of_rows(rows, ids))
    assert cut == ({"truncated"} if full else set())
    assert came == wanted or (full and set(of_rows(rows, ids - full)) <= came < wanted)
    assert queries == len(outcomes)


@pytest.mark.parametrize(
    ("rows", "ids"),
    [([(f"a{n}", NOON) for n in range(9)], []), ([("a", BEHIND + n) for n in range(9)], ["a"])],
    ids=["one instant", "one alert"],
)
def test_what_cannot_be_halved_is_truncated(rows: list[Row], ids: list[str]) -> None:
    """The rows that came are kept, and that there may be more is said."""
    with hunted(rows, rows=4) as served:
        outcomes = served.ask(ids, max_rows=4)

    (cut,) = [outcome for outcome in outcomes if outcome.status != "complete"]
    assert (cut.status, cut.detail) == ("truncated", "cut at 4 rows and cannot be halved")
    assert len(titles(outcomes)) == cut.rows == 4


def test_a_result_that_is_too_large_is_asked_for_in_halves() -> None:
    """The limit on bytes is told by the service, and meets the same answer."""
    rows = [(f"a{n}", WINDOW.start + n * ticks.PER_HOUR) for n in range(20)]
    with hunted(rows, result_bytes=2_000) as served:
        outcomes = served.ask(["a1", "a2"])

    assert len(outcomes) > 3
    assert {outcome.status for outcome in outcomes} == {"complete"}
    assert set(titles(outcomes)) == set(of_rows(rows, set()))


def test_very_many_alerts_are_named_in_several_queries() -> None:
    """No query names more than so many, and the first and the last of them come."""
    ids = [f"da{number:05}_-1234567890" for number in range(2 * tables.AT_ONCE + 1)]
    rows = [(ids[number], BEHIND) for number in (0, 999, 1000, 1999, 2000)]
    rows.append(("other", NOON))
    with hunted(rows) as served:
        outcomes = served.ask(ids)

    assert titles(outcomes) == sorted(f"Title {number}" for number in range(6))
    assert [outcome.rows for outcome in outcomes] == [3, 2, 1]
    assert ["Timestamp" in outcome.query for outcome in outcomes] == [True, False, False]
    assert max(outcome.query.count("da0") for outcome in outcomes) == tables.AT_ONCE


def test_a_failure_is_the_last_outcome() -> None:
    """Where one query is refused, the others of the table are not tried."""
    ids = [f"da{number}" for number in range(tables.AT_ONCE + 1)]
    with hunted([], missing_tables=("AlertInfo",)) as served:
        (outcome,) = served.ask(ids)

    assert (outcome.status, outcome.texts) == ("failed", [])
    assert "AlertInfo" in str(outcome.detail)


def pull(served: Hunted, folder: Path) -> tuple[Lake, dict[str, Any]]:
    """Run the stage for the day, whose one alert is `a`."""
    lake = Lake(folder, served.sandbox.tenant.id)
    known = core.ALERTS.frame(
        [
            {"TenantId": lake.tenant, "AlertId": "a", "CreatedTime": NOW, "AlertSource": "graph",
             "ContentHash": "0", "IngestedAt": NOW}
        ]
    )  # fmt: skip
    lake.publish(core.ALERTS, DAY, known)
    return lake, alert_tables.pull(served.hunting, lake, DAY, options(1000))


@pytest.mark.parametrize(
    ("faults", "failed"),
    [
        ({"missing_tables": ("AlertInfo",)}, {"AlertInfo"}),
        ({"roles": ("SecurityAlert.Read.All",)}, {"AlertInfo", "AlertEvidence"}),
        ({"errors_first": 99}, {"AlertInfo", "AlertEvidence"}),
    ],
    ids=["a table that is not there", "no permission", "a service that is down"],
)
def test_what_hunting_refuses_is_told_and_no_failure(
    tmp_path: Path, faults: dict[str, Any], failed: set[str]
) -> None:
    """The alerts go on without it: a doubt in the report, and the refusal in the ledger."""
    with hunted(ROWS, **faults) as served:
        lake, reports = pull(served, tmp_path)
    ledger = lake.read(LEDGER, DAY, alert_tables.LEDGER_PART)

    assert {t for t, report in reports.items() if report.doubts} == failed
    assert not [report for report in reports.values() if report.incomplete]
    assert all(report.adds_up for report in reports.values())
    assert set(ledger.filter(Status="failed")["Table"]) == failed
    assert set(ledger.filter(Status="complete")["Table"]) == {"AlertInfo", "AlertEvidence"} - failed
    assert lake.read(raw.telemetry("AlertInfo"), DAY).height == 0


def test_a_quota_that_is_used_up_is_raised(tmp_path: Path) -> None:
    """Being over quota passes, so it is no outcome of a table."""
    with hunted(ROWS, throttle_first=1) as served:
        served.hunting.client.longest_wait = 0
        with pytest.raises(Throttled):
            pull(served, tmp_path)
        assert not list(tmp_path.glob("raw/**/*.parquet"))
        served.hunting.client.longest_wait = 5
        lake, reports = pull(served, tmp_path)

    assert lake.read(raw.telemetry("AlertInfo"), DAY).height == reports["AlertInfo"].rows == 6


def test_every_row_is_one_event(whole: Hunted, tmp_path: Path) -> None:
    """Each change of an alert is an event of its own, the same however often it is pulled."""
    lake, first = pull(whole, tmp_path)
    published = events.publish(lake, DAY, "AlertInfo")
    info = lake.read(contract("AlertInfo"), DAY)
    _, again = pull(whole, tmp_path)
    events.publish(lake, DAY, "AlertInfo")

    assert (first["AlertInfo"].published, again["AlertInfo"].published) == (6, 0)
    assert again["AlertInfo"].duplicates == 6
    assert not again["AlertInfo"].changed
    assert published.adds_up
    assert info["EventId"].n_unique() == info.height == 6
    assert info.filter(AlertId="a")["TimestampTicks"].to_list() == [BEFORE, NOON, BEHIND]
    assert lake.read(contract("AlertInfo"), DAY).equals(info)


def test_a_row_of_two_days_is_one_row_of_the_catalog(whole: Hunted, tmp_path: Path) -> None:
    """A row that is dated on one day and is of an alert of another is pulled for both."""
    lake, _ = pull(whole, tmp_path)
    after = DAY + timedelta(days=1)
    alert_tables.pull(whole.hunting, lake, after, options(1000))
    for day in (DAY, after):
        events.publish(lake, day, "AlertInfo")
    both = pl.concat([lake.read(contract("AlertInfo"), day) for day in (DAY, after)])
    with duckdb.connect(str(catalog.build(tmp_path)), read_only=True) as duck:
        found = duck.execute("select EventId, AlertId from hunting.AlertInfo").fetchall()

    twice = both.filter(pl.col("EventId").is_duplicated())
    assert set(twice["AlertId"]) == {"a"}
    assert sorted(found) == sorted(both.select("EventId", "AlertId").unique().rows())
    assert len({identity for identity, _ in found}) == len(found)
