-- Which process started which on devices with a match, as far as any event says: by its own columns
-- and by its parent's. Grain: DeviceId, Pid, Slot, ParentPid, ParentTicks.
-- Inputs: EventKeys, Matches, Platforms.
-- A slot is a creation time cut to what all namings of a process share. Half keys, pid 0, sentinel
-- times and System are nobody's parent.
with Named as (
    select
        DeviceId,
        ProcessId as Pid,
        ProcessCreationTicks as Ticks,
        InitiatingProcessId as ParentPid,
        InitiatingProcessCreationTicks as ParentTicks
    from EventKeys
    semi join Matches using (DeviceId)
    where EventTable = 'DeviceProcessEvents'
    union
    select
        DeviceId,
        InitiatingProcessId as Pid,
        InitiatingProcessCreationTicks as Ticks,
        InitiatingProcessParentId as ParentPid,
        InitiatingProcessParentCreationTicks as ParentTicks
    from EventKeys
    semi join Matches using (DeviceId)
)

select distinct
    Named.DeviceId,
    Named.Pid,
    Named.Ticks // Platforms.Coarse as Slot,
    Named.ParentPid,
    Named.ParentTicks,
    Named.ParentTicks // Platforms.Coarse as ParentSlot
from Named
inner join Platforms using (DeviceId)
where
    Named.Pid > 0
    and Named.Ticks is not null
    and Named.ParentPid > 0
    and Named.ParentTicks is not null
    and not (Named.ParentPid = 4 and Platforms.Platform = 'windows')
