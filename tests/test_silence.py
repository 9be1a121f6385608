"""A day without alerts after one that had some is worth a word, unless it has only begun."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from queues import DAY, OVERLAP, lake_of, many, queue

from etl.stages import alerts
from etl.windows import Window

NEXT = DAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("number", "asked", "told"),
    [
        (4, [DAY, NEXT], ["no alert was created on 2026-01-03; the day before had 4"]),
        (4, [DAY], []),
        (0, [DAY, NEXT], []),
    ],
    ids=["the next day is silent", "it is not asked for", "both are silent"],
)
def test_a_silent_day_is_told(
    number: int, asked: list[date], told: list[str], tmp_path: Path
) -> None:
    """A pull that brings nothing where the day before had alerts says so; nothing is incomplete."""
    with queue(many(number)) as served:
        reports = alerts.pull(served.source, lake_of(tmp_path, served), asked, OVERLAP)

    assert [doubt for report in reports.values() for doubt in report.doubts] == told
    assert not any(report.incomplete for report in reports.values())


def test_a_day_that_is_to_come_is_not_silent(tmp_path: Path) -> None:
    """Nobody wonders about a day that has not begun."""
    today = datetime.now(UTC).date()
    with queue(many(3, start=Window.of_day(today).start)) as served:
        later = [today, today + timedelta(days=1)]
        reports = alerts.pull(served.source, lake_of(tmp_path, served), later, OVERLAP)

    assert reports[today].rows == 3
    assert reports[later[1]].doubts == ()
