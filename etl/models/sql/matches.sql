-- What each evidence item means: one instance, or several that nothing tells apart.
-- Grain: AlertId, EvidenceId. Input: Candidates.
-- The best kind of candidate decides: decisive, then equal when cut, then the nearest in tolerance.
with Ranked as (
    select
        *,
        case
            when Decisive then 1
            when MatchTier in ('exact', 'precision') then 2
            else 3
        end as Kind
    from Candidates
),

Best as (
    select *
    from Ranked
    qualify rank() over (
        partition by AlertId, EvidenceId order by Kind, case when Kind = 3 then Distance else 0 end
    ) = 1
),

Counted as (
    select
        AlertId,
        EvidenceId,
        count(*) as Candidates
    from Candidates
    group by AlertId, EvidenceId
)

select
    Best.AlertId,
    Best.EvidenceId,
    any_value(Counted.Candidates) as Candidates,
    count(*) > 1 as Ambiguous,
    if(Ambiguous, null, min(Best.DeviceId)) as DeviceId,
    if(Ambiguous, null, min(Best.ProcessId)) as ProcessId,
    if(Ambiguous, null, min(Best.InstanceTicks)) as InstanceTicks,
    if(Ambiguous, null, min(Best.MatchTier)) as MatchTier,
    min(Best.ProcessCreationTicks) as ProcessCreationTicks,
    min(Best.EvidenceUnit) as EvidenceUnit
from Best
inner join Counted using (AlertId, EvidenceId)
group by Best.AlertId, Best.EvidenceId
