-- Process instances in the telemetry: one pid of one device, started once.
-- Grain: DeviceId, Pid, Ticks. Input: ProcessKeys.
-- Own rows are instances; another mention is one of its own only where no own row can be meant.
with Own as (
    select
        DeviceId,
        Pid,
        Ticks,
        min(Unit) as Unit,
        min(FileName) as FileName,
        min(SHA1) as SHA1,
        min(SHA256) as SHA256
    from ProcessKeys
    where OwnRow
    group by DeviceId, Pid, Ticks
),

Mentioned as (
    select
        DeviceId,
        Pid,
        Ticks,
        max(Unit) as Unit,
        min(FileName) as FileName,
        min(SHA1) as SHA1,
        min(SHA256) as SHA256
    from ProcessKeys
    where not OwnRow
    group by DeviceId, Pid, Ticks
)

select * from Own
union all
select Mentioned.*
from Mentioned
anti join Own
    on
        Mentioned.DeviceId = Own.DeviceId
        and Mentioned.Pid = Own.Pid
        and Mentioned.Ticks // Mentioned.Unit = Own.Ticks // Mentioned.Unit
