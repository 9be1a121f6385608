"""Judging a frame by its contract: the rows that keep it, and the others with their reasons."""

from dataclasses import dataclass

import polars as pl
from pandera.errors import SchemaErrors

from etl.contracts.contract import Contract
from etl.contracts.ops import QUARANTINE

_ROW = "__row"
_LONGEST_DETAIL = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """A frame split in two: `accepted` as it was, `rejected` as rows of ops/Quarantine."""

    accepted: pl.DataFrame
    rejected: pl.DataFrame


def judge(
    frame: pl.DataFrame,
    contract: Contract,
    *,
    source: str,
    raw: pl.Series,
    faults: pl.Series | None = None,
    rule: str = "readable as the column's type",
) -> Verdict:
    """Split `frame` by `contract`, eagerly: on a lazy frame pandera checks only names and types.

    `raw` holds each row's record, `faults` what is already known to be wrong with a row or null,
    which breaks `rule`.
    Raises pandera's SchemaErrors where a column is missing or of another type: that is a fault of
    the program, not of a record.
    """
    reasons = _broken(frame, contract)
    if faults is not None:
        known = pl.DataFrame(
            {_ROW: pl.int_range(faults.len(), dtype=pl.UInt32, eager=True), "Detail": faults}
        )
        known = known.drop_nulls().select(_ROW, Rule=pl.lit(rule), Detail="Detail")
        reasons = pl.concat([known, reasons.join(known, on=_ROW, how="anti")])
    if not reasons.height:
        return Verdict(frame, QUARANTINE.empty())
    numbered = frame.with_row_index(_ROW)
    rejected = (
        numbered.with_columns(raw.alias("Raw"))
        .join(reasons, on=_ROW, maintain_order="left")
        .with_columns(Source=pl.lit(source), Table=pl.lit(contract.table))
        .select(*QUARANTINE.types)
    )
    return Verdict(
        numbered.join(reasons, on=_ROW, how="anti", maintain_order="left").drop(_ROW), rejected
    )


def _broken(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Return the rows that break the contract: row number, rules, values."""
    try:
        contract.schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases
        if cases["index"].null_count():
            raise
        value = pl.col("failure_case").fill_null("null").str.slice(0, _LONGEST_DETAIL)
        return (
            cases.sort("index", "column", "check")
            .group_by(pl.col("index").cast(pl.UInt32).alias(_ROW), maintain_order=True)
            .agg(
                Rule=pl.format("{}: {}", "column", "check")
                .unique(maintain_order=True)
                .str.join("; "),
                Detail=pl.format("{} is {}", "column", value)
                .unique(maintain_order=True)
                .str.join("; "),
            )
        )
    return pl.DataFrame(schema={_ROW: pl.UInt32, "Rule": pl.String, "Detail": pl.String})
