"""Contracts of what is told around an alert: the tree of its processes, and what they did."""

from typing import Final

import pandera.polars as pa
import polars as pl

from etl.contracts.contract import INSTANT, TEXTS, Column, Contract, filled, provenance, tenant
from etl.contracts.mart import ALERT, ALERT_ID, TIERS

_DEVICE: Final = (
    Column("DeviceId", pl.String, "Defender's device id", required=True, checks=(filled(),)),
    Column("DeviceName", pl.String, "DNS name"),
)

PROCESS_TREE: Final = Contract(
    layer="mart",
    table="ProcessTree",
    meaning="Every matched process of an alert, its ancestors and its descendants.",
    grain=("TenantId", "AlertId", "DeviceId", "ProcessId", "ProcessCreationTicks"),
    columns=(
        tenant(),
        ALERT_ID,
        *ALERT,
        *_DEVICE,
        Column("ProcessId", pl.Int64, "Of the process", required=True),
        Column("ProcessCreationTime", INSTANT, "Of the process, UTC", required=True),
        Column(
            "ProcessCreationTicks", pl.Int64,
            "Of the process, in ticks; cut to 10 ms where a Linux process was not observed",
            required=True,
        ),
        Column(
            "Depth", pl.Int64,
            "0 the evidence's process, else positive a descendant, else negative an ancestor: "
            "generations to the nearest of the evidence",
            required=True,
        ),
        Column(
            "Position", pl.Int64,
            "Order within the alert from 1: parents before children, children by creation time",
            required=True,
        ),
        Column("Generation", pl.Int64, "Generations below the root, from 0", required=True),
        Column("ParentProcessId", pl.Int64, "Of who started it; null where nobody tells"),
        Column("ParentProcessCreationTicks", pl.Int64, "Of who started it, as its own row has it"),
        Column("FileName", pl.String, "Of the process"),
        Column("FolderPath", pl.String, "Of the process, file name included"),
        Column("ProcessCommandLine", pl.String, "Of the process"),
        Column("SHA1", pl.String, "Of the process's file"),
        Column("SHA256", pl.String, "Of the process's file"),
        Column("AccountName", pl.String, "Whom it runs as"),
        Column(
            "Observed", pl.Boolean,
            "Whether its creation was; else it is only known from what other events say",
            required=True,
        ),
        Column("EvidenceIds", TEXTS, "The evidence that is this process", required=True),
        *provenance(),
    ),
)  # fmt: skip

ALERT_TIMELINE: Final = Contract(
    layer="mart",
    table="AlertTimeline",
    meaning="Every event of an alert's matched processes and their descendants, by time.",
    grain=("TenantId", "AlertId", "EventTable", "EventId"),
    columns=(
        tenant(),
        ALERT_ID,
        *ALERT,
        Column("EventTable", pl.String, "Hunting table of the event", required=True),
        Column("EventId", pl.String, "Event in that table", required=True),
        Column("Timestamp", INSTANT, "Of the event, UTC", required=True),
        Column("TimestampTicks", pl.Int64, "In ticks, the order to read in", required=True),
        *_DEVICE,
        Column(
            "Depth", pl.Int64,
            "Of the initiator in ProcessTree; below 0 only where it started evidence's process",
            required=True,
        ),
        Column("InitiatingProcessId", pl.Int64, "Of who did it, as in ProcessTree"),
        Column("InitiatingProcessCreationTicks", pl.Int64, "Of who did it, as in ProcessTree"),
        Column("InitiatingProcessFileName", pl.String, "Of who did it"),
        Column("ActionType", pl.String, "What was done"),
        Column(
            "What", pl.String,
            "To what, in one line: command line, path, address, key or account",
        ),
        Column("ProcessId", pl.Int64, "Of the process that the event is about, if any"),
        Column("ProcessCreationTicks", pl.Int64, "Of the process that the event is about, if any"),
        Column(
            "MatchTier", pl.String, "The best one in CorrelatedAlerts, if the event is there",
            checks=(pa.Check.isin(TIERS, error="a known tier"),),
        ),
        Column(
            "Aggregated", pl.Boolean, "Whether the row sums up an hour, so is no single event",
            required=True,
        ),
        *provenance(),
    ),
)  # fmt: skip
