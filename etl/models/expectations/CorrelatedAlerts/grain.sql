-- One row an alert, evidence item and event.
select
    AlertId,
    EvidenceId,
    EventTable,
    EventId
from CorrelatedAlerts
group by TenantId, AlertId, EvidenceId, EventTable, EventId
having count(*) > 1
