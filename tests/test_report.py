"""The accounts of a stage: what was read is published, turned away or recognised."""

import pytest

from etl.stages.report import Report


@pytest.mark.parametrize(
    ("published", "quarantined", "duplicates", "adds_up"),
    [(7, 2, 1, True), (10, 0, 0, True), (7, 2, 0, False), (12, 0, -2, False), (8, 2, 1, False)],
)
def test_every_record_is_accounted_for(
    *, published: int, quarantined: int, duplicates: int, adds_up: bool
) -> None:
    """Ten records read add up or not; more rows than records are no negative duplicates."""
    report = Report(
        rows=published,
        read=10,
        published=published,
        quarantined=quarantined,
        duplicates=duplicates,
    )

    assert report.adds_up is adds_up
