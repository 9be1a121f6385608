-- Processes that may be near a matched one, their creation times cut to what all namings share.
-- Grain: DeviceId, Pid, Slot. Inputs: Matches, Platforms, ProcessLinks, Parameters (Above, Below).
-- More than the kin itself, as programs that share a pid and a slot are not told apart yet.
with recursive Upwards as (
    select
        Matches.DeviceId,
        Matches.ProcessId as Pid,
        Matches.InstanceTicks // Platforms.Coarse as Slot,
        0 as Depth
    from Matches
    inner join Platforms using (DeviceId)
    where not Matches.Ambiguous
    union
    select
        Upwards.DeviceId,
        ProcessLinks.ParentPid as Pid,
        ProcessLinks.ParentSlot as Slot,
        Upwards.Depth + 1 as Depth
    from Upwards
    inner join ProcessLinks using (DeviceId, Pid, Slot)
    cross join Parameters
    where Upwards.Depth < Parameters.Above
),

Downwards as (
    select *
    from Upwards
    where Depth = 0
    union
    select
        Downwards.DeviceId,
        ProcessLinks.Pid,
        ProcessLinks.Slot,
        Downwards.Depth + 1 as Depth
    from Downwards
    inner join ProcessLinks
        on
            Downwards.DeviceId = ProcessLinks.DeviceId
            and Downwards.Pid = ProcessLinks.ParentPid
            and Downwards.Slot = ProcessLinks.ParentSlot
    cross join Parameters
    where Downwards.Depth < Parameters.Below
)

select
    DeviceId,
    Pid,
    Slot
from Upwards
union
select
    DeviceId,
    Pid,
    Slot
from Downwards
