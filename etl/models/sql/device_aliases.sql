-- Ids of devices that stand for one machine: those that DeviceInfo says were merged, in either direction.
-- Grain: DeviceId, OtherId. Input: DeviceInfo. Lower-cased; no id is its own other.
-- A machine that was onboarded anew several times is followed from id to id for eight steps.
with recursive Told as (
    select
        lower(DeviceId) as DeviceId,
        unnest(
            regexp_extract_all(
                lower(concat_ws(' ', MergedToDeviceId, MergedDeviceIds)), '[^\s,;"''\[\]]+'
            )
        ) as OtherId
    from DeviceInfo
),

Pairs as (
    select
        DeviceId,
        OtherId
    from Told
    where DeviceId <> OtherId
    union
    select
        OtherId as DeviceId,
        DeviceId as OtherId
    from Told
    where DeviceId <> OtherId
),

Reached as (
    select
        DeviceId,
        OtherId,
        1 as Steps
    from Pairs
    union
    select
        Reached.DeviceId,
        Pairs.OtherId,
        Reached.Steps + 1 as Steps
    from Reached
    inner join Pairs on Reached.OtherId = Pairs.DeviceId
    where Reached.Steps < 8
)

select distinct
    DeviceId,
    OtherId
from Reached
where DeviceId <> OtherId
