-- What each evidence item means: one instance, or several that nothing tells apart.
-- Grain: AlertId, EvidenceId. Inputs: Candidates, Best by what decides.
with Counted as (
    select
        AlertId,
        EvidenceId,
        any_value(ProcessCreationTicks) as ProcessCreationTicks,
        any_value(EvidenceUnit) as EvidenceUnit,
        count(*) as Candidates
    from Candidates
    group by AlertId, EvidenceId
),

Chosen as (
    select
        Best.*,
        Answer.DecidedBy
    from Best
    inner join decided('Best') as Answer using (Question, Instance)
)

select
    Counted.*,
    Chosen.AlertId is null as Ambiguous,
    Chosen.DeviceId,
    Chosen.ProcessId,
    Chosen.Instance,
    Chosen.InstanceTicks,
    Chosen.MatchTier,
    Chosen.Decisive,
    Chosen.CoarserUnit,
    Chosen.Distance,
    Chosen.Agree,
    Chosen.DecidedBy
from Counted
left join Chosen using (AlertId, EvidenceId)
