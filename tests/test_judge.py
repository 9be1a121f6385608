from datetime import UTC, datetime

import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.errors import SchemaErrors

from etl.contracts.contract import Column, Contract, filled, provenance, tenant, within
from etl.contracts.judge import Verdict, judge
from etl.contracts.ops import QUARANTINE

NOW = datetime(2026, 1, 2, tzinfo=UTC)
THINGS = Contract(
    layer="test",
    table="Things",
    meaning="Things.",
    grain=("TenantId", "Name"),
    columns=(
        tenant(),
        Column("Name", pl.String, "Name", required=True, checks=(filled(),)),
        Column("Port", pl.Int64, "Port", checks=(within(0, 65_535),)),
        Column(
            "Kind", pl.String, "Kind", checks=(pa.Check.isin(("a", "b"), error="a known kind"),)
        ),
        *provenance(),
    ),
)


def things(*rows: tuple[str | None, int | None, str | None]) -> pl.DataFrame:
    """Return things by name, port and kind."""
    return THINGS.frame([
        {
            "TenantId": "t", "Name": n, "Port": p, "Kind": k,
            "IngestedAt": NOW, "SourceRequestId": "r",
        }
        for n, p, k in rows
    ])  # fmt: skip


def judged(frame: pl.DataFrame, *faults: str | None) -> Verdict:
    """Judge things; row n's record is `raw n`."""
    raw = pl.Series([f"raw {n}" for n in range(frame.height)], dtype=pl.String)
    known = pl.Series(faults, dtype=pl.String) if faults else None
    return judge(frame, THINGS, source="test", raw=raw, faults=known)


def test_good_rows_pass_untouched() -> None:
    """Rows that keep the contract come out as they went in, nulls where they are allowed."""
    frame = things(("x", 1, "a"), ("y", None, None))
    verdict = judged(frame)
    assert verdict.accepted.equals(frame)
    assert verdict.rejected.schema == QUARANTINE.empty().schema
    assert verdict.rejected.is_empty()


def test_an_empty_frame_is_good() -> None:
    """No row breaks no rule."""
    verdict = judged(things())
    assert (verdict.accepted.height, verdict.rejected.height) == (0, 0)


@pytest.mark.parametrize(
    ("row", "rule", "detail"),
    [
        ((None, 1, "a"), "Name: not_nullable", "Name is null"),
        (("", 1, "a"), "Name: not empty", "Name is "),
        (("x", -1, "a"), "Port: between 0 and 65535", "Port is -1"),
        (("x", 65_536, "a"), "Port: between 0 and 65535", "Port is 65536"),
        (("x", 1, "c"), "Kind: a known kind", "Kind is c"),
    ],
)
def test_a_bad_row_says_rule_and_value(
    row: tuple[str | None, int | None, str | None], rule: str, detail: str
) -> None:
    """A row that breaks a rule is turned away alone, with the rule, the value and its record."""
    good = ("good", 1, "a")
    verdict = judged(things(good, row, good))
    assert verdict.accepted.equals(things(good, good))
    (rejected,) = verdict.rejected.iter_rows(named=True)
    assert (rejected["Rule"], rejected["Detail"], rejected["Raw"]) == (rule, detail, "raw 1")
    assert (rejected["Source"], rejected["Table"]) == ("test", "Things")
    assert (rejected["TenantId"], rejected["IngestedAt"]) == ("t", NOW)


def test_every_broken_rule_is_told_in_one_row() -> None:
    """A row that breaks several rules is one row of the quarantine that names them all."""
    verdict = judged(things((None, -1, "c")))
    (rejected,) = verdict.rejected.iter_rows(named=True)
    assert set(rejected["Rule"].split("; ")) == {
        "Kind: a known kind",
        "Name: not_nullable",
        "Port: between 0 and 65535",
    }
    assert set(rejected["Detail"].split("; ")) == {"Kind is c", "Name is null", "Port is -1"}


def test_a_known_fault_turns_a_good_row_away() -> None:
    """What the reader could not read counts, whether or not the row keeps the contract."""
    verdict = judged(things(("x", 1, "a"), ("y", -1, "a")), "Port is x", "Port is y")
    assert verdict.accepted.is_empty()
    assert verdict.rejected["Detail"].to_list() == ["Port is x", "Port is y"]
    assert set(verdict.rejected["Rule"]) == {"readable as the column's type"}


def test_long_values_are_cut_in_the_detail() -> None:
    """A detail shows the beginning of a value; the record has it whole."""
    verdict = judged(things(("x", 1, "c" * 10_000)))
    assert len(verdict.rejected["Detail"].item()) < 300


@pytest.mark.parametrize("broken", ["missing", "type", "more"])
def test_a_wrong_table_is_the_programs_fault(broken: str) -> None:
    """A missing, unknown or differently typed column is no record's fault and is not hidden."""
    frame = things(("x", 1, "a"))
    frames = {
        "missing": frame.drop("Port"),
        "type": frame.with_columns(pl.col("Port").cast(pl.Float64)),
        "more": frame.with_columns(Extra=pl.lit(1)),
    }
    with pytest.raises(SchemaErrors):
        judged(frames[broken])


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["x", "", None]),
        st.sampled_from([0, 65_535, -1, 65_536, None]),
        st.sampled_from(["a", "c", None]),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=50)
@given(ROWS, st.data())
def test_every_row_is_on_one_side(
    rows: list[tuple[str | None, int | None, str | None]], data: st.DataObject
) -> None:
    """No row is lost or on both sides, good rows keep their order, and bad ones their record."""
    size = len(rows)
    fault = st.lists(st.sampled_from([None, None, "x"]), min_size=size, max_size=size)
    faults = data.draw(fault)
    good = [
        name == "x" and port not in {-1, 65_536} and kind != "c" and known is None
        for (name, port, kind), known in zip(rows, faults, strict=True)
    ]
    verdict = judged(things(*rows), *faults)
    assert verdict.accepted.equals(
        things(*[row for row, kept in zip(rows, good, strict=True) if kept])
    )
    turned_away = [f"raw {number}" for number, kept in enumerate(good) if not kept]
    assert sorted(verdict.rejected["Raw"]) == sorted(turned_away)
