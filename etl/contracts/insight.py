"""Contracts of the marts that are drawn from a correlated day: prevalence, detectors, stories."""

from typing import Final

import pandera.polars as pa
import polars as pl

from etl.contracts.contract import INSTANT, Column, Contract, filled, provenance, tenant

KINDS: Final = ("file", "command_line", "address", "url")
"""What prevalence is told of."""

AGREEMENTS: Final = ("same", "story_spans_incidents", "incident_spans_stories", "both")
"""How a story and an incident relate: equal, the one wider, the other wider, or crossing."""

_ALERT_ID: Final = Column("AlertId", pl.String, "core.Alerts", required=True, checks=(filled(),))
_SHARE: Final = pa.Check.in_range(0, 1, error="between 0 and 1")


def _count(name: str, meaning: str) -> Column:
    at_least = pa.Check.ge(0, error="at least 0")
    return Column(name, pl.Int64, meaning, required=True, checks=(at_least,))


ALERT_PREVALENCE: Final = Contract(
    layer="mart",
    table="AlertPrevalence",
    meaning="How well the lake (not the tenant) knew what an alert names, before the alert.",
    grain=("TenantId", "AlertId", "Kind", "Value"),
    columns=(
        tenant(),
        _ALERT_ID,
        Column(
            "Kind", pl.String, ", ".join(KINDS), required=True,
            checks=(pa.Check.isin(KINDS, error="a known kind"),),
        ),
        Column(
            "Value", pl.String, "SHA256, else SHA1; command line's shape; RemoteIP; URL's host",
            required=True, checks=(filled(),),
        ),
        _count("Devices", "Devices in the lake that showed it before the alert's first activity"),
        _count("Events", "Events in the lake that showed it before then"),
        Column("FirstSeenAt", INSTANT, "The first of them, UTC; null where there is none"),
        Column("LastSeenAt", INSTANT, "The last of them, UTC; null where there is none"),
        _count("DaysSeen", "UTC days on which it was seen before then"),
        _count("DevicesInLake", "Devices of which the lake has any event before then"),
        Column("LakeSince", INSTANT, "The lake's oldest event, UTC; null where none is before"),
        *provenance(),
    ),
)  # fmt: skip

DETECTOR_SCORECARD: Final = Contract(
    layer="mart",
    table="DetectorScorecard",
    meaning="How the alerts of each detector and title of a day matched, and how they were closed.",
    grain=("TenantId", "CreatedDate", "DetectorId", "Title"),
    columns=(
        tenant(),
        Column("CreatedDate", pl.Date, "UTC day on which the alerts were created", required=True),
        Column("DetectorId", pl.String, "Of the alerts; null where the product names none"),
        Column("Title", pl.String, "Of the alerts"),
        _count("Alerts", "Alerts of the detector, title and day"),
        _count("AlertsExact", "Those whose best matched evidence is exact"),
        _count("AlertsPrecision", "Those whose best is precision"),
        _count("AlertsTolerance", "Those whose best is tolerance"),
        _count("AlertsPivot", "Those whose best is a pivot"),
        _count("AlertsNone", "Those without any match"),
        Column("MatchRate", pl.Float64, "Share with a match", required=True, checks=(_SHARE,)),
        _count("Timed", "Alerts with a matched process that started before they were created"),
        Column(
            "DelaySeconds", pl.Float64, "Sum over Timed: from its start to the alert, in seconds",
            required=True,
        ),
        Column("MedianDelaySeconds", pl.Float64, "Median over Timed"),
        Column("P90DelaySeconds", pl.Float64, "Nine of ten in Timed took no longer"),
        _count("Classified", "Alerts with a classification"),
        _count("FalsePositives", "Those classified as FalsePositive"),
        Column(
            "FalsePositiveRate", pl.Float64, "FalsePositives of Classified; null where none is",
            checks=(_SHARE,),
        ),
        *provenance(),
    ),
)  # fmt: skip

INCIDENT_STORY: Final = Contract(
    layer="mart",
    table="IncidentStory",
    meaning="Which alerts of a day belong together by what they share, and Microsoft's incidents.",
    grain=("TenantId", "AlertId"),
    columns=(
        tenant(),
        _ALERT_ID,
        Column("Title", pl.String, "Of the alert"),
        Column("CreatedTime", INSTANT, "Of the alert, UTC", required=True),
        Column("StoryId", pl.String, "The smallest AlertId of the story", required=True),
        _count("StoryAlerts", "Alerts of the day in the story"),
        _count("StoryIncidents", "Incidents that they belong to; without one, each its own"),
        Column("IncidentId", pl.String, "Of the alert"),
        _count("IncidentAlerts", "Alerts of the day in the incident"),
        _count("IncidentStories", "Stories that they belong to"),
        Column(
            "Agreement", pl.String, ", ".join(AGREEMENTS), required=True,
            checks=(pa.Check.isin(AGREEMENTS, error="a known agreement"),),
        ),
        Column(
            "Because", pl.String, "What links the alert, one line", required=True,
            checks=(filled(),),
        ),
        *provenance(),
    ),
)  # fmt: skip

INSIGHT: Final = (ALERT_PREVALENCE, DETECTOR_SCORECARD, INCIDENT_STORY)
"""The marts that are drawn from a day's correlation."""
