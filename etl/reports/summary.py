"""What a run found, as tables that a person wants to read, and the next command to type."""

import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from shutil import which
from typing import Final

from rich.console import Console
from rich.table import Table

from etl.lake.catalog import NAME
from etl.reports.query import open_catalog

_Rows = list[tuple[object, ...]]

_WHERE: Final = "TenantId = $tenant and Day between $first and $last"
_NEXT: Final = "select Title, MatchTier, count(*) from CorrelatedAlerts group by all"

_DAY_COLUMNS: Final = (
    "Alerts", "Evidence", "By process", "By pivot", "Events", "Hunting calls",
)  # fmt: skip

_BY_DAY: Final = """
with calls as (
    select Day, sum(Calls) as Calls from ops.ExtractionLedger
    where {where} and Source = 'hunting' group by Day
),

listed as (select Day, count(*) as Alerts from Alerts where {where} group by Day)

select
    Day, any_value(listed.Alerts), count(*), count_if(MatchTier not in ('none', 'pivot')),
    count_if(MatchTier = 'pivot'), sum(Events), coalesce(any_value(calls.Calls), 0)
from AlertCorrelation left join calls using (Day) left join listed using (Day)
where {where} group by Day order by Day
"""

_BY_VERDICT: Final = """
select Verdict, count(*), sum(Matched), sum(Pivoted), sum(Open) from AlertValidation
where {where} group by Verdict order by Verdict
"""

_COST: Final = """
select
    (select coalesce(sum(Calls), 0) from ops.ExtractionLedger where {where} and Source = 'hunting'),
    (select count(*) from AlertCorrelation where {where})
"""

_BY_TIER: Final = """
select MatchTier, coalesce(Reason, ''), count(distinct AlertId), count(*) from AlertCorrelation
where {where} group by MatchTier, Reason order by MatchTier = 'none', MatchTier, Reason
"""


def summarise(lake: Path, tenant: str, first: date, last: date) -> None:
    """Print what the lake holds for some days of a tenant.

    Raises LakeError where there is no catalog.
    """
    values = {"tenant": tenant, "first": first, "last": last}
    with open_catalog(lake) as catalog:

        def rows(query: str) -> _Rows:
            return catalog.execute(query.format(where=_WHERE), values).fetchall()

        _print(lake, rows)


def _print(lake: Path, rows: Callable[[str], _Rows]) -> None:
    console = Console()
    console.print(_table("Alerts by day (UTC)", ("Day",), _DAY_COLUMNS, rows(_BY_DAY)))
    console.print(
        _table("How they correlate", ("Tier", "Reason"), ("Alerts", "Evidence"), rows(_BY_TIER))
    )
    console.print(
        _table(
            "How they are judged",
            ("Verdict",),
            ("Alerts", "Evidence by process", "By pivot", "Open"),
            rows(_BY_VERDICT),
        )
    )
    calls, evidence = rows(_COST)[0]
    turned_away = rows("select count(*) from ops.Quarantine where {where}")[0][0]
    for line in (
        f"{calls} hunting calls in all; one query for each evidence item would be {evidence}.",
        f"{turned_away} records are in quarantine (ops.Quarantine says which and why).",
        f"The lake is {lake}, its SQL catalog {lake / NAME}.",
        f'Next:  {_program()} sql "{_NEXT}"',
        "       make dev      then http://localhost:3000 shows the lineage and every run",
    ):
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def _program() -> str:
    """Return the command line as it can be typed here, on the path or not."""
    script = Path(sys.executable).with_name("defender-etl")
    if which("defender-etl") or not script.exists():
        return "defender-etl"
    here = Path.cwd()
    return str(script.relative_to(here) if script.is_relative_to(here) else script)


def _table(title: str, words: Sequence[str], numbers: Sequence[str], rows: _Rows) -> Table:
    table = Table(title=title, title_justify="left")
    for name in words:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*map(str, row))
    return table
