"""The standard model of a day: every state, the newest of each alert, and both as of an instant."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import duckdb
import made
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stated import DAY, Said, graph, hour, mde, minute, publish

from etl import ticks
from etl.contracts import core, raw
from etl.contracts.ops import QUARANTINE, SCHEMA_DRIFT
from etl.lake import catalog
from etl.lake.lake import Lake
from etl.stages import evidence, model

MACROS = ("AlertsAsOf", "AlertsKnownAt")


def newest(lake: Lake) -> dict[str, str]:
    """Return the hash of each alert's newest state."""
    return dict(lake.read(core.ALERTS, DAY).select("AlertId", "ContentHash").iter_rows())


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Return an empty lake."""
    return Lake(tmp_path, "t")


PAIRS: dict[str, tuple[Said, Said]] = {
    "the later update": (
        Said(graph("a", 1), seen=1), Said(graph("a", 2), seen=0),
    ),
    "the later update, whatever its source": (
        Said(graph("a", 1), seen=1), Said(mde("a", 2), seen=0, source="mde"),
    ),
    "an update before none": (
        Said(graph("a", None), seen=1), Said(graph("a", 0), seen=0),
    ),
    "Graph of one update": (
        Said(mde("a", 1), seen=5, source="mde"), Said(graph("a", 1), seen=0),
    ),
    "the one seen later of one update": (
        Said(graph("a", 1, status="new"), seen=0), Said(graph("a", 1, status="resolved"), seen=1),
    ),
    "a tick later": (
        Said(graph("a") | {"lastUpdateDateTime": "2026-01-03T00:00:00.0000001Z"}, seen=3),
        Said(graph("a") | {"lastUpdateDateTime": "2026-01-03T00:00:00.0000002Z"}, seen=0),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("older", "newer"), PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("batch", [1, 1000])
def test_the_newest_state(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, batch: int, older: Said, newer: Said
) -> None:
    """Last update, then Graph, then when it was seen; in whichever order and batch they come."""
    monkeypatch.setattr(model, "BATCH", batch)
    for said in ([older, newer], [newer, older]):
        assert publish(lake, said) == {"AlertVersions": 2, "Alerts": 1, "SchemaDrift": 0}
        assert newest(lake) == {"a": newer.hash}


def _states() -> st.SearchStrategy[list[Said]]:
    def said(drawn: tuple[str, int | None, int, bool, str]) -> Said:
        identity, updated, seen, older, title = drawn
        if older:
            return Said(mde(identity, updated or 0, title), seen, "mde")
        return Said(graph(identity, updated, title=title), seen)

    drawn = st.tuples(
        st.sampled_from("abc"), st.none() | st.integers(0, 3), st.integers(0, 3), st.booleans(),
        st.sampled_from(["One", "Two"]),
    )  # fmt: skip
    return st.lists(drawn.map(said), max_size=9, unique_by=lambda one: (one.source, one.hash))


def chosen(said: Sequence[Said]) -> dict[str, str]:
    """Return the newest of some states of each alert, told anew."""

    def rank(one: Said) -> tuple[int, bool, int]:
        return update(one), one.source == "graph", one.seen

    found: dict[str, Said] = {}
    for one in sorted(said, key=lambda one: one.hash, reverse=True):
        rival = found.get(one.record["id"])
        if rival is None or rank(one) >= rank(rival):
            found[one.record["id"]] = one
    return {identity: one.hash for identity, one in found.items()}


def update(said: Said) -> int:
    """Return the last update of a state in ticks, -1 where it has none."""
    text = said.record.get("lastUpdateDateTime") or said.record.get("lastUpdateTime")
    return ticks.from_text(text) if text else -1


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Return a lake with a catalog, which sees what is published after it was built."""
    lake = Lake(tmp_path_factory.mktemp("opened"), "t")
    publish(lake, [])
    catalog.build(lake.root)
    return lake


@contextmanager
def reader(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the catalog of a lake."""
    with duckdb.connect(str(lake.root / catalog.NAME), read_only=True) as duck:
        yield duck


@settings(max_examples=8)
@given(_states(), st.integers(1, 4))
def test_the_model_and_its_macros_tell_one_story(
    opened: Lake, said: list[Said], batch: int
) -> None:
    """Alerts, AlertsAsOf and AlertsKnownAt follow one rule about every set of states."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "BATCH", batch)
        rows = publish(opened, said)
    assert rows["AlertVersions"] == len(said)
    assert newest(opened) == chosen(said)
    with reader(opened) as duck:
        for number in range(-1, 4):
            then = ticks.from_datetime(hour(number))
            as_of = asked(duck, "AlertsAsOf", hour(number))
            known_at = asked(duck, "core.AlertsKnownAt", minute(number))
            assert as_of == chosen([one for one in said if 0 <= update(one) <= then])
            assert known_at == chosen([one for one in said if one.seen <= number])


def asked(duck: duckdb.DuckDBPyConnection, macro: str, moment: object) -> dict[str, str]:
    """Return the hash of each alert's state as a macro gives it."""
    rows = duck.execute(f"select AlertId, ContentHash from {macro}($m)", {"m": moment}).fetchall()  # noqa: S608 - names of the test
    assert len(dict(rows)) == len(rows)
    return dict(rows)


@pytest.mark.parametrize(
    "macro", [f"{schema}{name}" for schema in ("", "core.") for name in MACROS]
)
def test_macros_take_text_and_instants(opened: Lake, macro: str) -> None:
    """With and without the schema's name, an instant and its text mean the same."""
    late = [Said(graph("a", 24 * 7), 1), Said(graph("a", 24 * 7 + 1), 2)]
    publish(opened, late)

    with reader(opened) as duck:
        for moment in ("2026-01-10 00:01:00+00", "2026-01-10T01:01:00+01:00", minute(1)):
            assert asked(duck, macro, moment) == {"a": late[0].hash}
        assert asked(duck, macro, "2026-01-09 23:59:59.999999+00") == {}


def test_macros_see_all_days_and_tenants(tmp_path: Path) -> None:
    """An id is one alert of one tenant; alerts of every day are asked."""
    for tenant in ("t", "u"):
        lake = Lake(tmp_path, tenant)
        publish(lake, [Said(graph("a", title=tenant))])
        other = {"createdDateTime": "2026-01-03T00:00:00Z"}
        publish(lake, [Said(graph("b") | other)], date(2026, 1, 3))
    with duckdb.connect(str(catalog.build(tmp_path)), read_only=True) as duck:
        for macro in MACROS:
            rows = duck.execute(
                f"select TenantId, AlertId, Day from {macro}($m) order by all",  # noqa: S608 - likewise
                {"m": minute(0)},
            ).fetchall()
            assert rows == [
                (tenant, alert, DAY + timedelta(days=alert == "b"))
                for tenant in "tu"
                for alert in "ab"
            ]


def test_macros_of_a_lake_without_alerts_are_empty(tmp_path: Path) -> None:
    """Before the first pull the macros are there and give no row."""
    with duckdb.connect(str(catalog.build(tmp_path)), read_only=True) as duck:
        assert [asked(duck, macro, minute(0)) for macro in MACROS] == [{}, {}]


def test_two_sources_of_one_day(lake: Lake) -> None:
    """What each source says is a state of its own; who says the newest is in the table."""
    said = [
        Said(graph("both", 1)), Said(mde("both", 1), 1, "mde"), Said(graph("one")),
        Said(mde("other"), 0, "mde"),
    ]  # fmt: skip
    rows = publish(lake, said)
    sources = dict(lake.read(core.ALERTS, DAY).select("AlertId", "AlertSource").iter_rows())
    states = lake.read(core.ALERT_VERSIONS, DAY)

    assert (rows["AlertVersions"], rows["Alerts"]) == (4, 3)
    assert sources == {"both": "graph", "one": "graph", "other": "mde"}
    assert states.filter(AlertId="both")["AlertSource"].to_list() == ["graph", "mde"]
    assert states["Raw"].to_list() == [json.dumps(said[i].record) for i in (0, 1, 2, 3)]


def test_batches_make_the_same_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many alerts are read at once is seen in no table."""
    said = [Said(graph(f"a{n % 4}", n, strange=n), n) for n in range(9)]
    said += [Said({"id": "broken"}, 1), Said(mde("a1", 3), 2, "mde")]
    tables: list[list[pl.DataFrame]] = []
    for batch in (1, 2, 1000):
        monkeypatch.setattr(model, "BATCH", batch)
        lake = Lake(tmp_path / str(batch), "t")
        publish(lake, said)
        tables.append(
            [lake.read(core.ALERT_VERSIONS, DAY), lake.read(core.ALERTS, DAY),
             lake.read(SCHEMA_DRIFT, DAY, "alerts"), lake.read(QUARANTINE, DAY, "alerts")]
        )  # fmt: skip

    assert [table.height for table in tables[0]] == [10, 4, 1, 1]
    for others in tables[1:]:
        assert all(a.equals(b) for a, b in zip(tables[0], others, strict=True))


@pytest.mark.parametrize("batch", [1, 1000])
def test_evidence_is_that_of_the_newest_state(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """An alert that lost an item and got others has the items that it has now, and no older."""
    monkeypatch.setattr(model, "BATCH", batch)
    monkeypatch.setattr(evidence, "BATCH", batch)
    items = [made.process(processId=number) for number in range(1, 6)]
    grown = [Said(graph("grown", 1, *items[:1])), Said(graph("grown", 2, *items[:4]), 1)]
    shrunk = [Said(graph("shrunk", 1, *items), 0), Said(graph("shrunk", 2, items[4]), 1)]
    bare = [Said(graph("bare", 1, *items), 0), Said(graph("bare", 2), 1)]
    publish(lake, [*grown, *shrunk, *bare])
    report = evidence.publish(lake, DAY)["AlertEvidence"]
    rows = lake.read(core.ALERT_EVIDENCE, DAY).sort("AlertId", "ProcessId")

    assert report.adds_up
    assert rows.select("AlertId", "ProcessId").rows() == [
        ("grown", 1), ("grown", 2), ("grown", 3), ("grown", 4), ("shrunk", 5),
    ]  # fmt: skip
    assert lake.read(core.ALERT_VERSIONS, DAY).height == 6

    publish(lake, [*grown, *shrunk, *bare, Said(graph("bare", 3, items[0]), 2)])
    evidence.publish(lake, DAY)
    assert lake.read(core.ALERT_EVIDENCE, DAY).filter(AlertId="bare").height == 1


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_drift_is_summed_over_states(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """A name has one row: its first and last sight, its first value, and how many have it."""
    monkeypatch.setattr(model, "BATCH", batch)
    said = [
        Said(graph("a", 3, moon="late"), seen=9),
        Said(graph("a", 1, moon="early"), seen=2),
        Said(graph("a", 2), seen=5),
        Said(graph("b", 1, moon="between", severity="dreadful"), seen=4),
    ]
    rows = publish(lake, said)
    drift = lake.read(SCHEMA_DRIFT, DAY, "alerts")
    moon = drift.filter(Name="alert.moon").row(0, named=True)
    dreadful = drift.filter(pl.col("Name").str.contains("dreadful")).row(0, named=True)

    assert rows["SchemaDrift"] == drift.height == 2
    assert (moon["Kind"], moon["Example"], moon["Count"]) == ("field", "early", 3)
    assert (moon["FirstSeenAt"], moon["LastSeenAt"]) == (minute(2), minute(9))
    assert (moon["Source"], moon["Table"]) == ("graph", "Alerts")
    assert (dreadful["Kind"], dreadful["Count"]) == ("value", 1)
    assert (dreadful["FirstSeenAt"], dreadful["LastSeenAt"]) == (minute(4), minute(4))


@pytest.mark.parametrize("pulled", [True, False])
def test_a_day_without_alerts_is_published_empty(lake: Lake, *, pulled: bool) -> None:
    """Every table of such a day is there and has its columns, pulled or not."""
    if pulled:
        lake.publish(raw.ALERTS, DAY, raw.ALERTS.empty())
    reports = model.publish(lake, DAY) | evidence.publish(lake, DAY)

    assert {report.rows for report in reports.values()} == {0}
    assert all(report.adds_up and not report.incomplete for report in reports.values())
    for contract in (core.ALERT_VERSIONS, core.ALERTS, core.ALERT_EVIDENCE, core.ALERT_DEVICES):
        path = lake.path(contract, DAY)
        assert dict(pl.read_parquet_schema(path)) == contract.types
    assert lake.path(SCHEMA_DRIFT, DAY, "alerts").exists()


def test_a_day_that_did_not_change_is_left_alone(lake: Lake) -> None:
    """Publishing the same states again touches no file of the model."""
    said = [Said(graph("a", 1)), Said(graph("a", 2), 1), Said(mde("b"), 0, "mde")]
    publish(lake, said)
    before = {path: path.stat().st_mtime_ns for path in lake.root.glob("core/**/*.parquet")}
    reports = model.publish(lake, DAY)

    assert not reports["AlertVersions"].changed
    assert not reports["Alerts"].changed
    assert {path: path.stat().st_mtime_ns for path in before} == before
