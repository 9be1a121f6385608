-- Who started whom: each process with its one parent, and no loop.
-- Grain: DeviceId, Pid, Ticks. Inputs: ResolvedMentions, Matches, Parameters (Above).
-- A creation row goes before what other events say. A loop, which only corrupt or forged rows make, is
-- opened at the earliest process in it.
with recursive Told as (
    select
        DeviceId,
        Pid,
        Ticks,
        ParentPid,
        ParentTicks
    from ResolvedMentions
    where ParentTicks is not null
    qualify row_number() over (
        partition by DeviceId, Pid, Ticks order by Source asc, SeenTicks asc, ParentTicks desc, ParentPid asc
    ) = 1
),

Climbed as (
    select distinct
        DeviceId,
        ProcessId as Pid,
        InstanceTicks as Ticks,
        [struct_pack(Ticks := InstanceTicks, Pid := ProcessId)] as Path
    from Matches
    where not Ambiguous
    union all
    select
        Climbed.DeviceId,
        Told.ParentPid as Pid,
        Told.ParentTicks as Ticks,
        list_append(Climbed.Path, struct_pack(Ticks := Told.ParentTicks, Pid := Told.ParentPid)) as Path
    from Climbed
    inner join Told using (DeviceId, Pid, Ticks)
    cross join Parameters
    where
        len(Climbed.Path) <= Parameters.Above
        and not list_contains(Climbed.Path, struct_pack(Ticks := Told.ParentTicks, Pid := Told.ParentPid))
),

Loops as (
    select
        Climbed.DeviceId,
        list_min(
            Climbed.Path[
                list_position(Climbed.Path, struct_pack(Ticks := Told.ParentTicks, Pid := Told.ParentPid)):
            ]
        ) as Opening
    from Climbed
    inner join Told using (DeviceId, Pid, Ticks)
    where list_contains(Climbed.Path, struct_pack(Ticks := Told.ParentTicks, Pid := Told.ParentPid))
)

select Told.*
from Told
anti join Loops
    on
        Told.DeviceId = Loops.DeviceId
        and Told.Pid = Loops.Opening.Pid
        and Told.Ticks = Loops.Opening.Ticks
