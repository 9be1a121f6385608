-- One row an alert and process.
select
    AlertId,
    DeviceId,
    ProcessId,
    ProcessCreationTicks
from ProcessTree
group by TenantId, AlertId, DeviceId, ProcessId, ProcessCreationTicks
having count(*) > 1
