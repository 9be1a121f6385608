-- Every row's alert exists, and has an event that could name something.
select
    AlertId,
    Kind,
    Value,
    'alert' as Lacks
from AlertPrevalence
anti join Alerts using (AlertId)
union all
select
    AlertId,
    Kind,
    Value,
    'event' as Lacks
from AlertPrevalence
anti join CorrelatedAlerts using (AlertId)
