from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from asked import offered
from days import ACTIVE, NOW, Row, T, active, event, item, process, started

from etl import ticks
from etl.contracts.marts import MART
from etl.lake import engine
from etl.models.expectations import broken, expectations

HASH = "a" * 64
Tables = Mapping[str, Sequence[Row]]

EVENT = {"AlertId": "a1", "CreatedTime": NOW, "DeviceId": "d1"}
OWN = {
    **EVENT, "EvidenceId": "e1", "EvidenceType": "processEvidence", "MatchTier": "exact",
    "MatchRole": "subject", "TimeDeltaTicks": 0, "EventTable": "DeviceProcessEvents",
    "EventId": "own", "Timestamp": ACTIVE, "ProcessId": 7, "ProcessCreationTicks": T,
}  # fmt: skip
DONE = {
    **OWN, "AlertId": "a2", "MatchRole": "initiator", "EventTable": "DeviceEvents",
    "EventId": "done", "InitiatingProcessId": 7, "InitiatingProcessCreationTicks": T,
}  # fmt: skip
FILED = {
    **EVENT, "EvidenceId": "e2", "EvidenceType": "fileEvidence", "MatchTier": "pivot",
    "PivotKind": "sha256", "MatchRole": "subject", "EventTable": "DeviceFileEvents",
    "EventId": "filed", "Timestamp": ACTIVE, "SHA256": HASH.upper(),
}  # fmt: skip


def line(evidence: str, tier: str, events: int, alert_id: str = "a1", **more: object) -> Row:
    """Return a row of mart.AlertCorrelation."""
    return {
        "AlertId": alert_id, "EvidenceId": evidence, "EvidenceType": "x", "CreatedTime": NOW,
        "MatchTier": tier, "Candidates": events, "Events": events, **more,
    }  # fmt: skip


MATCHED = {
    "DeviceId": "d1",
    "ProcessId": 7,
    "ProcessCreationTicks": T,
    "MatchedProcessCreationTicks": T,
}


def verdict(alert_id: str, said: str, **counts: int) -> Row:
    """Return a row of mart.AlertValidation."""
    names = (
        "Evidence",
        "Processes",
        "Matched",
        "Pivoted",
        "Ambiguous",
        "Open",
        "Missed",
        "Unkeyed",
        "Events",
    )
    return {
        "AlertId": alert_id, "CreatedTime": NOW, "Verdict": said, "Because": "so",
        **dict.fromkeys(names, 0), **counts,
    }  # fmt: skip


def story(alert_id: str, **more: object) -> Row:
    """Return a row of mart.IncidentStory: two alerts, one story, one incident each."""
    return {
        "AlertId": alert_id, "CreatedTime": NOW, "StoryId": "a1", "StoryAlerts": 2,
        "StoryIncidents": 2, "IncidentId": alert_id, "IncidentAlerts": 1, "IncidentStories": 1,
        "Agreement": "story_spans_incidents", "Because": "so", **more,
    }  # fmt: skip


def kin(alert_id: str, pid: int, depth: int, position: int) -> Row:
    """Return a row of mart.ProcessTree."""
    return {
        "AlertId": alert_id, "CreatedTime": NOW, "DeviceId": "d1", "ProcessId": pid,
        "ProcessCreationTicks": T, "Depth": depth, "Position": position,
    }  # fmt: skip


def score(**more: object) -> Row:
    """Return a row of mart.DetectorScorecard: two alerts, both tied to 100 ns."""
    zeros = ("AlertsPrecision", "AlertsTolerance", "AlertsPivot", "AlertsNone")
    return {
        "CreatedDate": NOW.date(), "DetectorId": "x", "Title": "Title", "Alerts": 2,
        "AlertsExact": 2, **dict.fromkeys(zeros, 0),
        "MatchRate": 1.0, "Timed": 2, "DelaySeconds": 9.0, "MedianDelaySeconds": 4.5,
        "P90DelaySeconds": 8.0, "Classified": 2, "FalsePositives": 1, "FalsePositiveRate": 0.5,
        **more,
    }  # fmt: skip


def prevalence(**more: object) -> Row:
    """Return a row of mart.AlertPrevalence: seen twice, an hour before."""
    before = ACTIVE - timedelta(hours=1)
    return {
        "AlertId": "a1", "Kind": "file", "Value": HASH, "Devices": 1, "Events": 2, "DaysSeen": 1,
        "FirstSeenAt": before, "LastSeenAt": before, "DevicesInLake": 3, "LakeSince": before,
        **more,
    }  # fmt: skip


GOOD: Tables = {
    "Alerts": [
        active("a1", IncidentId="a1", DetectorId="x", LastUpdateTime=NOW),
        active("a2", IncidentId="a2", DetectorId="x"),
    ],
    "AlertEvidence": [
        process(),
        item("File", EvidenceId="e2"),
        item("Mailbox", EvidenceId="e3"),
        process(AlertId="a2"),
    ],
    "DeviceProcessEvents": [started("own")],
    "DeviceFileEvents": [event("filed")],
    "DeviceEvents": [event("done")],
    "CorrelatedAlerts": [OWN, FILED, {**OWN, "AlertId": "a2"}, DONE],
    "ProcessTree": [kin("a1", 6, -1, 1), kin("a1", 7, 0, 2), kin("a2", 7, 0, 1)],
    "AlertTimeline": [
        {"AlertId": "a2", "CreatedTime": NOW, "EventTable": "DeviceEvents", "EventId": "done"}
    ],
    "AlertCorrelation": [
        line("e1", "exact", 1, **MATCHED),
        line("e2", "pivot", 1, PivotKind="sha256"),
        line("e3", "none", 0, Reason="no_usable_key"),
        line("e1", "exact", 2, "a2", **MATCHED),
    ],
    "AlertValidation": [
        verdict("a1", "corroborated", Evidence=3, Matched=1, Pivoted=1, Unkeyed=1, Events=2),
        verdict("a2", "corroborated", Evidence=1, Matched=1, Events=2),
    ],
    "AlertHunts": [
        {
            "AlertId": "a1", "EvidenceId": "gone", "HuntId": "8e35c2cd3bf6641bdb0e2050b76932cb",
            "Kind": "file", "Reach": "near", "WindowStart": ACTIVE, "WindowEnd": NOW, "Query": "q",
            "Status": "complete", "Rows": 0, "HuntedAt": NOW,
        }
    ],
    "AlertPrevalence": [
        prevalence(),
        prevalence(Value="b", Devices=0, Events=0, DaysSeen=0, FirstSeenAt=None, LastSeenAt=None),
    ],
    "DetectorScorecard": [score()],
    "IncidentStory": [story("a1"), story("a2")],
}  # fmt: skip


def changed(table: str, number: int = 0, **more: object) -> Tables:
    """Return a table one of whose rows says something else."""
    return {table: [row | more if n == number else row for n, row in enumerate(GOOD[table])]}


def again(table: str) -> Tables:
    """Return a table whose first row is there twice."""
    return {table: [*GOOD[table], GOOD[table][0]]}


def without(table: str, number: int = 0) -> Tables:
    """Return a table that lacks a row."""
    return {table: [row for n, row in enumerate(GOOD[table]) if n != number]}


LONG = timedelta(days=2)
BAD: dict[str, dict[str, list[Tables]]] = {
    "CorrelatedAlerts": {
        "grain": [again("CorrelatedAlerts")],
        "orphans": [
            changed("CorrelatedAlerts", AlertId="a9"),
            changed("CorrelatedAlerts", EvidenceId="e9"),
            changed("CorrelatedAlerts", EventId="e9"),
            changed("CorrelatedAlerts", EventTable="DeviceEvents"),
            without("Alerts"),
        ],
        "fan_out": [
            {"CorrelatedAlerts": [OWN, {**OWN, "EventId": "x", "DeviceId": "d2"}]},
            {"CorrelatedAlerts": [OWN, {**OWN, "EventId": "x", "ProcessId": 8}]},
        ],
        "time_travel": [
            changed("CorrelatedAlerts", ProcessCreationTicks=T + 1),
            changed("CorrelatedAlerts", ProcessCreationTicks=T + 1, TimeDeltaTicks=1),
            changed("CorrelatedAlerts", MatchRole="initiator"),
            changed(
                "CorrelatedAlerts", MatchTier="precision",
                ProcessCreationTicks=T + 100_000, TimeDeltaTicks=100_000,
            ),
        ],
        "out_of_reach": [
            changed("CorrelatedAlerts", 1, Timestamp=ACTIVE - LONG),
            changed("CorrelatedAlerts", 1, Timestamp=ACTIVE + LONG),
            changed("CorrelatedAlerts", Timestamp=NOW - timedelta(days=32)),
        ],
    },
    "AlertCorrelation": {
        "grain": [again("AlertCorrelation")],
        "orphans": [
            changed("AlertCorrelation", AlertId="a9"),
            changed("AlertCorrelation", EvidenceId="e9"),
        ],
        "lost_evidence": [without("AlertCorrelation"), without("AlertCorrelation", 2)],
        "fan_out": [
            changed("AlertCorrelation", Events=2),
            without("CorrelatedAlerts"),
            changed("AlertCorrelation", 1, MatchTier="none"),
        ],
        "reasons": [
            changed("AlertCorrelation", Reason="no_match"),
            changed("AlertCorrelation", 2, Reason=None),
            changed("AlertCorrelation", 1, PivotKind=None),
            changed("AlertCorrelation", MatchedProcessCreationTicks=None),
        ],
        "time_travel": [
            changed("AlertCorrelation", MatchedProcessCreationTicks=T - 1),
            changed(
                "AlertCorrelation", MatchTier="precision", MatchedProcessCreationTicks=T + 100_000
            ),
            changed(
                "AlertCorrelation", MatchTier="tolerance",
                MatchedProcessCreationTicks=ticks.from_datetime(NOW) + ticks.PER_DAY + 1,
            ),
        ],
    },
    "AlertValidation": {
        "grain": [again("AlertValidation")],
        "orphans": [changed("AlertValidation", AlertId="a9")],
        "lost_alerts": [without("AlertValidation", 1)],
        "counts": [
            changed("AlertValidation", Evidence=4, Missed=1),
            changed("AlertValidation", Events=3),
            changed("AlertValidation", Open=1),
        ],
        "verdicts": [
            changed("AlertValidation", Verdict="pending"),
            changed("AlertValidation", Matched=0, Pivoted=0),
            changed("AlertValidation", Verdict="partly_corroborated", Matched=0, Pivoted=0),
        ],
    },
    "ProcessTree": {
        "grain": [again("ProcessTree")],
        "orphans": [changed("ProcessTree", AlertId="a9")],
        "lost_processes": [without("ProcessTree", 1), changed("ProcessTree", 2, Depth=1)],
        "positions": [
            changed("ProcessTree", Position=2),
            changed("ProcessTree", 1, Position=3),
            changed("ProcessTree", 2, Position=2),
        ],
    },
    "AlertTimeline": {
        "grain": [again("AlertTimeline")],
        "orphans": [
            changed("AlertTimeline", AlertId="a9"),
            changed("AlertTimeline", EventId="e9"),
        ],
        "lost_events": [without("AlertTimeline")],
    },
    "AlertHunts": {
        "grain": [again("AlertHunts")],
        "orphans": [changed("AlertHunts", AlertId="a9")],
        "names": [changed("AlertHunts", Query="Q")],
        "time_travel": [
            changed("AlertHunts", WindowEnd=ACTIVE),
            changed("AlertHunts", HuntedAt=ACTIVE - LONG),
        ],
    },
    "AlertPrevalence": {
        "grain": [again("AlertPrevalence")],
        "orphans": [changed("AlertPrevalence", AlertId="a9"), {"CorrelatedAlerts": []}],
        "lost_files": [without("AlertPrevalence")],
        "impossible": [
            changed("AlertPrevalence", Devices=3),
            changed("AlertPrevalence", DaysSeen=3),
            changed("AlertPrevalence", DevicesInLake=0),
            changed("AlertPrevalence", Devices=0),
            changed("AlertPrevalence", DaysSeen=0),
            changed("AlertPrevalence", 1, FirstSeenAt=ACTIVE),
        ],
        "time_travel": [
            changed("AlertPrevalence", LastSeenAt=ACTIVE + timedelta(seconds=1)),
            changed("AlertPrevalence", LastSeenAt=ACTIVE - LONG),
            changed("AlertPrevalence", LakeSince=ACTIVE),
        ],
    },
    "DetectorScorecard": {
        "grain": [again("DetectorScorecard")],
        "lost_alerts": [
            without("DetectorScorecard"),
            changed("DetectorScorecard", Title="other"),
            changed("DetectorScorecard", CreatedDate=ACTIVE.date()),
            changed("DetectorScorecard", Alerts=3),
        ],
        "counts": [
            changed("DetectorScorecard", AlertsNone=1),
            changed("DetectorScorecard", MatchRate=0.5),
            changed("DetectorScorecard", Timed=3),
            changed("DetectorScorecard", Classified=3),
            changed("DetectorScorecard", FalsePositives=3),
            changed("DetectorScorecard", FalsePositiveRate=None),
            changed("DetectorScorecard", FalsePositiveRate=0.1),
        ],
        "time_travel": [
            changed("DetectorScorecard", DelaySeconds=-1.0),
            changed("DetectorScorecard", MedianDelaySeconds=-1.0),
            changed("DetectorScorecard", P90DelaySeconds=1.0),
            changed("DetectorScorecard", MedianDelaySeconds=None),
        ],
    },
    "IncidentStory": {
        "grain": [again("IncidentStory")],
        "orphans": [
            changed("IncidentStory", AlertId="a9"),
            changed("IncidentStory", IncidentId="9"),
        ],
        "lost_alerts": [without("IncidentStory", 1)],
        "counts": [
            without("IncidentStory"),
            changed("IncidentStory", StoryAlerts=1),
            changed("IncidentStory", StoryIncidents=1),
            changed("IncidentStory", IncidentAlerts=2),
            changed("IncidentStory", IncidentStories=2),
            changed("IncidentStory", Agreement="same"),
            changed("IncidentStory", Agreement="both"),
        ],
        "torn_processes": [changed("IncidentStory", 1, StoryId="a2")],
    },
}  # fmt: skip
CASES = [
    pytest.param(mart, name, tables, id=f"{mart} {name} {n}")
    for mart, laws in BAD.items()
    for name, many in laws.items()
    for n, tables in enumerate(many)
]


def found(mart: str, tables: Tables, most: int = 20) -> list[tuple[str, Row]]:
    """Return the rows of a mart that should not be there, and what they break."""
    with TemporaryDirectory() as folder, engine.connection(Path(folder)) as duck:
        offered(duck, tables)
        return list(broken(duck, mart, most))


def test_every_expectation_is_broken_by_a_test() -> None:
    """Each file of each mart has rows that break it below, and every mart has expectations."""
    told = {mart.table: set(expectations(mart.table)) for mart in MART}

    assert told == {mart: set(laws) for mart, laws in BAD.items()}


@pytest.mark.parametrize("mart", BAD)
def test_nothing_is_wrong_with_a_sound_day(mart: str) -> None:
    """Marts that agree with each other, and with what they were made of, break nothing."""
    assert found(mart, GOOD) == []


@pytest.mark.parametrize(("mart", "name", "tables"), CASES)
def test_what_should_not_be_is_found(mart: str, name: str, tables: Tables) -> None:
    """Rows that break an expectation are returned by it."""
    assert name in {told for told, _ in found(mart, {**GOOD, **tables})}


def test_no_more_rows_are_told_than_asked_for() -> None:
    """Of each expectation that many rows are shown at most, with what tells them."""
    shown = found("AlertCorrelation", {**GOOD, "AlertCorrelation": []}, most=2)

    assert [name for name, _ in shown] == ["lost_evidence"] * 2
    assert set(shown[0][1]) == {"AlertId", "EvidenceId"}
