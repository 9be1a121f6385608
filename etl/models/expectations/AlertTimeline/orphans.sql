-- Every row's alert and event exist.
select
    AlertId,
    EventTable,
    EventId,
    'alert' as Lacks
from AlertTimeline
anti join Alerts using (AlertId)
union all
select
    AlertId,
    EventTable,
    EventId,
    'event' as Lacks
from AlertTimeline
anti join AllEvents using (EventTable, EventId)
