from datetime import date, timedelta

from asked import rows
from days import NOW, Row, alert

from etl import ticks

CREATED = ticks.from_datetime(NOW)
S = ticks.PER_SECOND


def found(alert_id: str, evidence: str, tier: str, seconds: int | None = None) -> Row:
    """Return a row of mart.AlertCorrelation whose process started some seconds before the alert."""
    return {
        "AlertId": alert_id, "EvidenceId": evidence, "CreatedTime": NOW, "Candidates": 1,
        "EvidenceType": "processEvidence", "MatchTier": tier, "Events": 1,
        "MatchedProcessCreationTicks": None if seconds is None else CREATED - seconds * S,
    }  # fmt: skip


def test_alerts_count_at_their_best_tier_and_by_the_last_process_before_them() -> None:
    """Counts add up to the alerts, delays are those of alerts with a process, in seconds."""
    scores = rows(
        "detector_scorecard",
        "DetectorId Title Alerts AlertsExact AlertsPrecision AlertsTolerance AlertsPivot "
        "AlertsNone MatchRate Timed DelaySeconds MedianDelaySeconds P90DelaySeconds",
        Alerts=[
            *[alert(name, DetectorId="x", Title="X") for name in ("a1", "a2", "a3", "a4", "a5")],
            alert("b1", DetectorId="x", Title="Y"),
            alert("c1", Title="X"),
        ],
        AlertCorrelation=[
            found("a1", "1", "exact", 10),
            found("a1", "2", "exact", 900_000),
            found("a1", "3", "exact", -5),
            found("a2", "1", "precision", 20),
            found("a2", "2", "pivot"),
            found("a3", "1", "tolerance", -5),
            found("a4", "1", "pivot"),
            found("a4", "2", "none"),
            found("b1", "1", "none"),
        ],
    )

    assert scores == [
        ("x", "X", 5, 1, 1, 1, 1, 1, 0.8, 2, 30.0, 15.0, 19.0),
        ("x", "Y", 1, 0, 0, 0, 0, 1, 0.0, 0, 0.0, None, None),
        (None, "X", 1, 0, 0, 0, 0, 1, 0.0, 0, 0.0, None, None),
    ]


def test_false_positives_are_a_share_of_what_was_classified() -> None:
    """An alert that nobody classified, or as unknown, counts neither way."""
    closed = ["FalsePositive", "TruePositive", "InformationalExpectedActivity", "Unknown", None]
    scores = rows(
        "detector_scorecard",
        "CreatedDate DetectorId Alerts Classified FalsePositives FalsePositiveRate IngestedAt "
        "SourceRequestId",
        Alerts=[
            *[
                alert(f"a{n}", DetectorId="x", Classification=one, IngestedAt=NOW + timedelta(n))
                for n, one in enumerate(closed)
            ],
            alert("b", DetectorId="y", SourceRequestId="mine"),
            alert("c", DetectorId="y", CreatedTime=NOW + timedelta(hours=12)),
        ],
        AlertCorrelation=[],
    )

    assert scores == [
        (date(2026, 1, 10), "x", 5, 3, 1, 1 / 3, NOW + timedelta(4), "r"),
        (date(2026, 1, 10), "y", 1, 0, 0, None, NOW, "mine"),
        (date(2026, 1, 11), "y", 1, 0, 0, None, NOW, "r"),
    ]
