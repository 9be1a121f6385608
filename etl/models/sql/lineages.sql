-- The matched processes that an alert's matched processes are (Depth 0) or descend from.
-- Grain: AlertId, DeviceId, ProcessId, ProcessCreationTicks. Input: ProcessTree.
-- A process that lies between two matched ones of its alert is told by way of the upper one.
with Matched as (
    select distinct
        DeviceId,
        ProcessId,
        ProcessCreationTicks
    from ProcessTree
    where Depth = 0
)

select
    AlertId,
    DeviceId,
    ProcessId,
    ProcessCreationTicks,
    Depth,
    FileName
from ProcessTree
semi join Matched using (DeviceId, ProcessId, ProcessCreationTicks)
where Depth <= 0
