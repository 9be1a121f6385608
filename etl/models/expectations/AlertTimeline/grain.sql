-- One row an alert and event.
select
    AlertId,
    EventTable,
    EventId
from AlertTimeline
group by TenantId, AlertId, EventTable, EventId
having count(*) > 1
