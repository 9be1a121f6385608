-- Who started the matched processes, and who started those, up to the first that nobody is known to have.
-- Grain: as ProcessLinks. Inputs: ProcessLinks, Matches, Platforms. What others read instead of all links:
-- these are many, and only what was reached has to be held in memory.
with recursive Reached as (
    select
        Matches.DeviceId,
        Matches.ProcessId as Pid,
        Matches.InstanceTicks // Platforms.Coarse as Slot
    from Matches
    inner join Platforms using (DeviceId)
    where not Matches.Ambiguous
    union
    select
        ProcessLinks.DeviceId,
        ProcessLinks.ParentPid as Pid,
        ProcessLinks.ParentSlot as Slot
    from ProcessLinks
    semi join Reached using (DeviceId, Pid, Slot)
)

select ProcessLinks.*
from ProcessLinks
semi join Reached using (DeviceId, Pid, Slot)
