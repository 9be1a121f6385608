-- Every row's alert, evidence and event exist.
with Lacking as (
    select
        CorrelatedAlerts.*,
        'alert' as Lacks
    from CorrelatedAlerts
    anti join Alerts using (AlertId)
    union all
    select
        CorrelatedAlerts.*,
        'evidence' as Lacks
    from CorrelatedAlerts
    anti join AlertEvidence using (AlertId, EvidenceId)
    union all
    select
        CorrelatedAlerts.*,
        'event' as Lacks
    from CorrelatedAlerts
    anti join AllEvents using (EventTable, EventId)
)

select
    AlertId,
    EvidenceId,
    EventTable,
    EventId,
    Lacks
from Lacking
