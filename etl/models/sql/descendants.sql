-- Matched processes (depth 0) and what they started, as far as creation rows tell, some generations.
-- Grain: AlertId, DeviceId, ProcessId, ProcessCreationTicks. Inputs: Matches, Platforms,
-- DeviceProcessEvents, KinSlots, Parameters (Below). Unit is how finely others name the process.
with recursive Children as (
    select
        DeviceProcessEvents.DeviceId,
        DeviceProcessEvents.ProcessId as ChildPid,
        DeviceProcessEvents.ProcessCreationTicks as ChildTicks,
        Platforms.Coarse,
        DeviceProcessEvents.InitiatingProcessId as Pid,
        DeviceProcessEvents.InitiatingProcessCreationTicks // Platforms.Coarse as Slot
    from DeviceProcessEvents
    inner join Platforms using (DeviceId)
    semi join KinSlots
        on
            DeviceProcessEvents.DeviceId = KinSlots.DeviceId
            and DeviceProcessEvents.InitiatingProcessId = KinSlots.Pid
            and DeviceProcessEvents.InitiatingProcessCreationTicks // Platforms.Coarse = KinSlots.Slot
    where
        DeviceProcessEvents.ProcessId > 0
        and DeviceProcessEvents.ProcessCreationTicks is not null
        and DeviceProcessEvents.InitiatingProcessId > 0
),

Found as (
    select
        Matches.AlertId,
        Matches.DeviceId,
        Matches.ProcessId as Pid,
        Matches.InstanceTicks as Ticks,
        Platforms.Coarse,
        0 as Depth
    from Matches
    inner join Platforms using (DeviceId)
    where not Matches.Ambiguous
    union
    select
        Found.AlertId,
        Found.DeviceId,
        Children.ChildPid as Pid,
        Children.ChildTicks as Ticks,
        Found.Coarse,
        Found.Depth + 1 as Depth
    from Found
    inner join Children
        on
            Found.DeviceId = Children.DeviceId
            and Found.Pid = Children.Pid
            and Found.Ticks // Found.Coarse = Children.Slot
    cross join Parameters
    where Found.Depth < Parameters.Below
)

select
    AlertId,
    DeviceId,
    Pid as ProcessId,
    Ticks as ProcessCreationTicks,
    any_value(Coarse) as Unit,
    min(Depth) as Depth
from Found
group by AlertId, DeviceId, Pid, Ticks
order by AlertId, DeviceId, Depth, ProcessCreationTicks, ProcessId
