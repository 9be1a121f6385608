-- No match has a reason, a match has none; a process tier has its process, a pivot its kind.
select
    AlertId,
    EvidenceId,
    MatchTier,
    Reason,
    PivotKind,
    MatchedProcessCreationTicks
from AlertCorrelation
where
    (MatchTier = 'none') <> (Reason is not null)
    or (MatchTier = 'pivot') <> (PivotKind is not null)
    or (MatchTier in ('exact', 'precision', 'tolerance')) <> (MatchedProcessCreationTicks is not null)
