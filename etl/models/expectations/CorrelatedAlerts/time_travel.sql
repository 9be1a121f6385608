-- A process's creation is as far from the evidence as its tier allows: exact nothing, precision under 10 ms.
with Told as (
    select
        *,
        if(MatchRole = 'subject', ProcessCreationTicks, InitiatingProcessCreationTicks) as Ticks
    from CorrelatedAlerts
    where MatchTier <> 'pivot'
)

select
    Told.AlertId,
    Told.EvidenceId,
    Told.EventTable,
    Told.EventId,
    Told.MatchTier,
    Told.Ticks - AlertEvidence.ProcessCreationTicks as Apart
from Told
inner join AlertEvidence using (AlertId, EvidenceId)
where
    Told.Ticks is null
    or Told.TimeDeltaTicks is distinct from Apart
    or (Told.MatchTier = 'exact' and Apart <> 0)
    or (Told.MatchTier = 'precision' and abs(Apart) >= 100000)
