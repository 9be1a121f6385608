-- Every row's alert exists.
select
    AlertId,
    DeviceId,
    ProcessId
from ProcessTree
anti join Alerts using (AlertId)
