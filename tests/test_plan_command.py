"""`defender-etl plan`: what a pull would cost, told beforehand."""

from pathlib import Path

import pytest
from pulls import contents
from runs import call, environment, lines_of

from etl.sandbox import Sandbox, Tenant


def test_a_plan_is_shown_before_anything_is_pulled(
    served: Sandbox, tenant: Tenant, tmp_path: Path
) -> None:
    """Without a lake the alerts are listed aside, rows are counted, and nothing is left behind."""
    first, last = tenant.days[0], tenant.days[-1]
    before = len(served.hunting)
    done = call(
        ["plan", "--from", str(first), "--to", str(last)],
        environment(served, tmp_path / "lake", COLUMNS="200"),
        tmp_path,
    )
    asked = [request.body_query or "" for request in served.hunting[before:]]

    assert done.returncode == 0, done.stderr
    assert all(str(day) in done.stdout for day in tenant.days)
    assert "hunting calls in all" in done.stdout
    assert len(asked) == len(tenant.days)
    assert all("Counted" in query for query in asked)
    assert not list((tmp_path / "lake").glob("raw/**/*.parquet"))


def test_a_plan_for_days_in_the_lake_finds_nothing_left_to_pull(
    served: Sandbox, tenant: Tenant, lake: Path, tmp_path: Path
) -> None:
    """A day whose telemetry is there costs a count; the lake's tables stay as they are."""
    before = contents(lake)
    settings = environment(served, lake, COLUMNS="200")
    done = call(["plan", "--from", str(tenant.days[0])], settings, tmp_path)
    (row,) = [line for line in done.stdout.splitlines() if str(tenant.days[0]) in line]
    cells = [cell.strip() for cell in row.strip("│").split("│")]

    assert done.returncode == 0, done.stderr
    assert (cells[5], cells[7]) == ("0", "0")
    assert int(cells[4].replace(",", "")) > 0
    assert contents(lake) == before


@pytest.mark.parametrize("arguments", [[], ["--from", "2026-13-01"], ["--from", "2999-01-01"]])
def test_a_plan_for_no_day_is_one_clear_line(arguments: list[str], tmp_path: Path) -> None:
    """Wrong usage ends with status 2 and a line that says what to do."""
    done = call(["plan", *arguments], {}, tmp_path)

    assert done.returncode == 2
    assert len(lines_of(done)) == 1
