import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.contracts.core import ALERTS
from etl.contracts.hunting import hunting
from etl.contracts.mart import CORRELATED_ALERTS
from etl.contracts.ops import LEDGER
from etl.errors import LakeError
from etl.lake import catalog, engine
from etl.lake.catalog import CONTRACTS
from etl.lake.lake import Lake

DAY = date(2026, 1, 2)
NOW = datetime(2026, 1, 2, 3, tzinfo=UTC)
HOSTILE = ["it's", 'say "x"', "a[b]c", "st*r", "{x,y}", "100%", "ü ñ", "a b", "year=2026"]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Return an empty lake."""
    return Lake(tmp_path / "lake", "t")


def alerts(*titles: str, at: datetime = NOW, request: str = "r") -> pl.DataFrame:
    """Return alerts with titles."""
    return ALERTS.frame([
        {
            "TenantId": "t", "AlertId": f"a{n}", "Title": title, "CreatedTime": NOW,
            "AlertSource": "graph", "Categories": ["x"], "AttackTechniques": [],
            "IngestedAt": at, "SourceRequestId": request,
        }
        for n, title in enumerate(titles)
    ])  # fmt: skip


def events(*ids: str, at: datetime = NOW, **more: str) -> pl.DataFrame:
    """Return process events with ids."""
    frame = hunting("DeviceProcessEvents").frame([
        {
            "TenantId": "t", "EventId": i, "Timestamp": NOW, "TimestampTicks": 1, "DeviceId": "d",
            "IngestedAt": at, "SourceRequestId": at.isoformat(),
        }
        for i in ids
    ])  # fmt: skip
    return frame.with_columns(pl.lit(value).alias(name) for name, value in more.items())


def files(lake: Lake) -> list[str]:
    """Return every file below a lake's folder."""
    return sorted(str(p.relative_to(lake.root)) for p in lake.root.rglob("*") if p.is_file())


def query(lake: Lake, sql: str) -> list[tuple[object, ...]]:
    """Ask the catalog as a user does."""
    with duckdb.connect(str(lake.root / catalog.NAME), read_only=True) as duck:
        return duck.execute(sql).fetchall()


def test_a_partition_is_read_back(lake: Lake) -> None:
    """What is published is read back, with types; what was never published is an empty table."""
    assert lake.read(ALERTS, DAY).equals(ALERTS.empty())
    assert lake.publish(ALERTS, DAY, alerts("one", "two"))
    assert lake.read(ALERTS, DAY).equals(alerts("one", "two"))
    assert files(lake) == ["core/Alerts/tenant=t/day=2026-01-02/data.parquet"]


def test_telemetry_says_its_source(lake: Lake) -> None:
    """Pulled telemetry has its own sub-folder beside the streaming export's."""
    path = lake.path(hunting("DeviceEvents"), DAY)
    folder = "hunting/DeviceEvents/source=hunting/tenant=t/day=2026-01-02/data.parquet"
    assert path == lake.root / folder


def test_a_partition_is_replaced_as_a_whole(lake: Lake) -> None:
    """The new rows take the place of all the old; other days and producers stay."""
    lake.publish(ALERTS, DAY, alerts("one", "two"))
    lake.publish(ALERTS, DAY, alerts("other"), "second")
    lake.publish(ALERTS, DAY + timedelta(1), alerts("next"))
    assert lake.publish(ALERTS, DAY, alerts("three"))
    assert lake.read(ALERTS, DAY)["Title"].to_list() == ["three"]
    assert lake.read(ALERTS, DAY, "second")["Title"].to_list() == ["other"]
    assert lake.read(ALERTS, DAY + timedelta(1))["Title"].to_list() == ["next"]


def test_a_partition_may_become_empty(lake: Lake) -> None:
    """A day that has no rows any more says so."""
    lake.publish(ALERTS, DAY, alerts("one"))
    assert lake.publish(ALERTS, DAY, ALERTS.empty())
    assert lake.read(ALERTS, DAY).equals(ALERTS.empty())


def test_an_open_reader_keeps_the_old_file(lake: Lake) -> None:
    """Whoever has a partition open reads the old rows to the end."""
    lake.publish(ALERTS, DAY, alerts("old"))
    with lake.path(ALERTS, DAY).open("rb") as reader:
        lake.publish(ALERTS, DAY, alerts("new"))
        assert pl.read_parquet(reader)["Title"].to_list() == ["old"]


@pytest.mark.parametrize("shuffled", [False, True], ids=["same order", "other order"])
def test_unchanged_content_is_left_alone(lake: Lake, shuffled: bool) -> None:  # noqa: FBT001
    """The same rows from a later request change neither file nor provenance."""
    lake.publish(ALERTS, DAY, alerts("one", "two"))
    before = lake.path(ALERTS, DAY).stat()
    again = alerts("one", "two", at=NOW + timedelta(1), request="later")
    assert not lake.publish(ALERTS, DAY, again.reverse() if shuffled else again)
    after = lake.path(ALERTS, DAY).stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert lake.read(ALERTS, DAY)["IngestedAt"].unique().to_list() == [NOW]


@pytest.mark.parametrize(
    "changed",
    [
        alerts("one", "TWO"),
        alerts("one"),
        alerts("one", "two", "three"),
        alerts("one", "two").with_columns(Title=pl.lit(None, pl.String)),
        alerts("two", "one"),
        pl.concat([alerts("one", "two"), alerts("one")]),
        alerts("one", "two").with_columns(New=pl.lit("x")),
    ],
    ids=["value", "fewer", "more", "null", "swapped", "twice", "column"],
)
def test_changed_content_is_published(lake: Lake, changed: pl.DataFrame) -> None:
    """Any change of a value, a row or a column is a change."""
    lake.publish(ALERTS, DAY, alerts("one", "two"))
    assert lake.publish(ALERTS, DAY, changed)
    assert lake.read(ALERTS, DAY).equals(changed)


def test_a_damaged_partition_is_replaced(lake: Lake) -> None:
    """A file that cannot be read is no reason to keep it."""
    lake.publish(ALERTS, DAY, alerts("one"))
    lake.path(ALERTS, DAY).write_bytes(b"PAR1 no more")
    assert lake.publish(ALERTS, DAY, alerts("one"))
    assert lake.read(ALERTS, DAY).height == 1


@settings(deadline=None, max_examples=20)
@given(old=st.lists(st.text(max_size=3), max_size=4), new=st.lists(st.text(max_size=3), max_size=4))
def test_changed_says_whether_it_changed(old: list[str], new: list[str]) -> None:
    """Publishing reports a change exactly where the content differs, and reads back what counts."""
    with TemporaryDirectory() as folder:
        lake = Lake(Path(folder), "t")
        lake.publish(ALERTS, DAY, alerts(*old))
        assert lake.publish(ALERTS, DAY, alerts(*new)) == (old != new)
        assert lake.read(ALERTS, DAY)["Title"].to_list() == new


def test_staging_is_gone_afterwards(lake: Lake) -> None:
    """The staging folder lives as long as it is lent, even where a step fails in it."""
    lent: list[Path] = []

    def fail() -> None:
        with lake.staging() as folder:
            lent.append(folder)
            (folder / "half.parquet").write_bytes(b"PAR1")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail()
    assert lent[0].is_relative_to(lake.root)
    assert not lent[0].exists()
    assert files(lake) == []


def test_a_failed_write_keeps_the_old_partition(lake: Lake) -> None:
    """Where a step fails before its file is whole, readers see the old rows and nothing else."""
    lake.publish(ALERTS, DAY, alerts("old"))
    with lake.staging() as folder, pytest.raises(LakeError):
        lake.publish_file(ALERTS, DAY + timedelta(1), folder / "never-written.parquet")
    assert lake.read(ALERTS, DAY)["Title"].to_list() == ["old"]


@pytest.mark.parametrize("below", [False, True], ids=["a file", "below a file"])
def test_a_lake_that_cannot_be_written_is_said(tmp_path: Path, below: bool) -> None:  # noqa: FBT001
    """A root that is no folder is one clear error that names it and the remedy."""
    file = tmp_path / "file"
    file.write_text("x")
    root = file / "lake" if below else file
    with pytest.raises(LakeError, match="DEFENDER_LAKE") as error:
        Lake(root, "t").publish(ALERTS, DAY, alerts("one"))
    assert str(file) in str(error.value)
    assert error.value.exit_status == 1
    with pytest.raises(LakeError, match="DEFENDER_LAKE"):
        catalog.build(root)


def test_a_table_that_cannot_be_written_is_said(lake: Lake) -> None:
    """A file where a table's folder belongs is an error that names the partition."""
    (lake.root / "core").mkdir(parents=True)
    (lake.root / "core" / "Alerts").write_text("x")
    with pytest.raises(LakeError, match="cannot be written"):
        lake.publish(ALERTS, DAY, alerts("one"))
    assert not list((lake.root / ".staging").iterdir())


@pytest.mark.parametrize("name", HOSTILE)
def test_a_lake_may_lie_anywhere(tmp_path: Path, name: str) -> None:
    """Quotes, brackets and wildcards in the lake's path are nothing but characters."""
    lake = Lake(tmp_path / name / "lake", "t")
    assert lake.publish(ALERTS, DAY, alerts("one"))
    assert not lake.publish(ALERTS, DAY, alerts("one"))
    assert lake.publish(ALERTS, DAY, alerts("two"))
    assert lake.read(ALERTS, DAY)["Title"].to_list() == ["two"]
    lake.publish(hunting("DeviceProcessEvents"), DAY, events("e"))
    catalog.build(lake.root)
    assert query(lake, "select Title from Alerts") == [("two",)]
    assert query(lake, "select EventId from DeviceProcessEvents") == [("e",)]
    columns = {row[0] for row in query(lake, "describe core.Alerts")}
    assert columns == {*ALERTS.types, "Day"}
    with lake.staging() as folder, engine.connection(folder) as duck:
        assert engine.write(duck, "select 1 as One", folder / "one.parquet") == 1


def test_a_catalog_that_duckdb_cannot_place_is_said(tmp_path: Path) -> None:
    """DuckDB takes what follows a question mark for options: no catalog there."""
    lake = Lake(tmp_path / "w?t", "t")
    lake.publish(ALERTS, DAY, alerts("one"))
    assert not lake.publish(ALERTS, DAY, alerts("one"))
    assert lake.read(ALERTS, DAY)["Title"].to_list() == ["one"]
    with pytest.raises(LakeError, match="DEFENDER_LAKE"):
        catalog.build(lake.root)


def test_neighbours_of_a_bracketed_lake_are_not_read(tmp_path: Path) -> None:
    """A wildcard in a lake's path never reaches into another lake."""
    Lake(tmp_path / "ab", "t").publish(ALERTS, DAY, alerts("theirs"))
    lake = Lake(tmp_path / "a[b]", "t")
    lake.publish(ALERTS, DAY, alerts("ours"))
    catalog.build(lake.root)
    assert lake.read(ALERTS, DAY)["Title"].to_list() == ["ours"]
    assert query(lake, "select Title from Alerts") == [("ours",)]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: ".".join(c.key))
def test_an_empty_lake_has_every_view(
    empty_catalog: duckdb.DuckDBPyConnection, contract: object
) -> None:
    """Every table of the lake can be asked before anything was published, with its columns."""
    found = empty_catalog.execute(f"describe {'.'.join(contract.key)}").fetchall()
    assert [row[0] for row in found] == [*contract.types, "Day"]
    assert empty_catalog.execute(f"from {'.'.join(contract.key)}").fetchall() == []


@pytest.fixture(scope="module")
def empty_catalog(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the catalog of an empty lake."""
    with duckdb.connect(
        str(catalog.build(tmp_path_factory.mktemp("lake"))), read_only=True
    ) as duck:
        yield duck


def test_empty_and_filled_views_have_the_same_types(lake: Lake) -> None:
    """A query written against an empty table reads the filled one as well."""
    lake.root.mkdir()
    catalog.build(lake.root)
    before = query(lake, "select column_name, column_type from (describe core.Alerts)")
    lake.publish(ALERTS, DAY, alerts("one"))
    catalog.build(lake.root)
    assert query(lake, "select column_name, column_type from (describe core.Alerts)") == before


def test_plain_names_mean_the_table_most_wanted(lake: Lake) -> None:
    """A table's bare name works, and means the standard or typed table rather than the raw one."""
    lake.publish(ALERTS, DAY, alerts("one"))
    lake.publish(CORRELATED_ALERTS, DAY, CORRELATED_ALERTS.empty())
    lake.publish(LEDGER, DAY, LEDGER.empty(), "hunting")
    catalog.build(lake.root)
    assert query(lake, "select Title, Day from Alerts") == [("one", DAY)]
    assert query(lake, "from CorrelatedAlerts") == query(lake, "from ExtractionLedger") == []
    assert query(lake, "select EventId from DeviceProcessEvents") == []


def test_an_event_pulled_on_two_days_is_one_row(lake: Lake) -> None:
    """The view has one row an event, the first that came, though two partitions hold it."""
    contract = hunting("DeviceProcessEvents")
    lake.publish(contract, DAY, events("shared", "first", at=NOW))
    lake.publish(contract, DAY + timedelta(1), events("shared", "second", at=NOW + timedelta(1)))
    catalog.build(lake.root)
    found = query(lake, "select EventId, Day from hunting.DeviceProcessEvents order by EventId")
    assert found == [("first", DAY), ("second", DAY + timedelta(1)), ("shared", DAY)]


def test_an_events_columns_may_differ_by_day(lake: Lake) -> None:
    """A column that the service added later is there, null in the earlier days."""
    contract = hunting("DeviceProcessEvents")
    lake.publish(contract, DAY, events("old"))
    lake.publish(contract, DAY + timedelta(1), events("new", NewThing="x"))
    catalog.build(lake.root)
    found = query(lake, "select EventId, NewThing from DeviceProcessEvents order by EventId")
    assert found == [("new", "x"), ("old", None)]


def test_tenants_are_told_apart(lake: Lake) -> None:
    """Two tenants in one lake are both in the view, each under its id."""
    lake.publish(ALERTS, DAY, alerts("one"))
    other = alerts("two").with_columns(TenantId=pl.lit("u"))
    Lake(lake.root, "u").publish(ALERTS, DAY, other)
    catalog.build(lake.root)
    assert query(lake, "select TenantId, Title from Alerts order by all") == [
        ("t", "one"),
        ("u", "two"),
    ]


def test_the_catalog_is_swapped_under_an_open_reader(lake: Lake) -> None:
    """A reader that has the catalog open goes on, and the next one sees the new."""
    lake.root.mkdir()
    catalog.build(lake.root)
    with duckdb.connect(str(lake.root / catalog.NAME), read_only=True) as reader:
        lake.publish(ALERTS, DAY, alerts("one"))
        catalog.build(lake.root)
        assert reader.execute("select count(*) from Alerts").fetchall() == [(0,)]
        assert reader.execute("select count(*) from CorrelatedAlerts").fetchall() == [(0,)]
    assert query(lake, "select count(*) from Alerts") == [(1,)]
    assert [name for name in files(lake) if "catalog" in name] == [catalog.NAME]


def test_staged_files_are_in_no_view(lake: Lake) -> None:
    """What lies in staging while the catalog is built is in no table."""
    lake.publish(ALERTS, DAY, alerts("one"))
    with lake.staging() as folder:
        alerts("staged").write_parquet(folder / "data.parquet")
        catalog.build(lake.root)
        assert query(lake, "select Title from Alerts") == [("one",)]


def test_the_same_work_is_done_by_one_at_a_time(tmp_path: Path) -> None:
    """Whoever comes second to the same work waits until the first is done; other work goes on."""
    lake = Lake(tmp_path, "t")
    order: list[str] = []

    def second() -> None:
        with lake.alone("alerts"):
            order.append("second")

    with lake.alone("alerts"):
        waiting = threading.Thread(target=second)
        waiting.start()
        with lake.alone("telemetry"):
            order.append("other work")
        waiting.join(timeout=0.3)
        order.append("first")
    waiting.join()

    assert order == ["other work", "first", "second"]
