-- Every event that belongs to an evidence item, by its process or by a pivot.
-- Grain: AlertId, EvidenceId, EventTable, FileNumber, RowNumber. Inputs: ProcessEvents, Pivots.
-- A pivot compares no creation times.
select
    AlertId,
    EvidenceId,
    EventTable,
    FileNumber,
    RowNumber,
    MatchRole,
    MatchTier,
    null as PivotKind,
    TimeDeltaTicks
from ProcessEvents
union all
select
    AlertId,
    EvidenceId,
    EventTable,
    FileNumber,
    RowNumber,
    MatchRole,
    'pivot' as MatchTier,
    PivotKind,
    null as TimeDeltaTicks
from Pivots
