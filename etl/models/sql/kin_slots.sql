-- Processes that may be near a matched one, their creation times cut to what all namings share.
-- Grain: DeviceId, Pid, Slot. Inputs: Matches, Platforms, AncestorLinks, ProcessLinks, Parameters (Below:
-- generations of descendants).
-- More than the kin itself, as programs that share a pid and a slot are not told apart yet.
with recursive Downwards as (
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
        ProcessLinks.DeviceId,
        ProcessLinks.Pid,
        ProcessLinks.Slot,
        (select max(Latest.Depth) + 1 from Downwards as Latest) as Depth
    from ProcessLinks
    semi join Downwards
        on
            ProcessLinks.DeviceId = Downwards.DeviceId
            and ProcessLinks.ParentPid = Downwards.Pid
            and ProcessLinks.ParentSlot = Downwards.Slot
    where (select max(Last.Depth) from Downwards as Last) < (select Parameters.Below from Parameters)
)

select
    DeviceId,
    Pid,
    Slot
from Downwards
union
select
    DeviceId,
    ParentPid as Pid,
    ParentSlot as Slot
from AncestorLinks
