-- What links alerts of a day: things that few share, each with the smallest of the alerts that share it.
-- Grain: AlertId, Kind, Thing. Inputs: Alerts (of the day), StoryThings, LakeDevices (of all days' alerts),
-- Things (of the whole lake).
-- The rule of rarity: a thing that more than 50 alerts of the day share links nobody; nor does one that the
-- lake has seen on more than 3 devices besides those of alerts, of whichever day, that name it.
with Shared as (
    select
        Kind,
        Thing,
        count(*) as Alerts,
        min(AlertId) as FirstAlertId
    from StoryThings
    semi join Alerts using (AlertId)
    group by Kind, Thing
    having count(*) between 2 and 50
),

Shown as (
    select
        Shared.Kind,
        Shared.Thing,
        Things.DeviceId
    from Things
    inner join Shared
        on
            Things.Kind = Shared.Kind
            and Things.Name = Shared.Thing
    union
    select
        Shared.Kind,
        Shared.Thing,
        Things.DeviceId
    from Things
    inner join Shared
        on
            Things.Kind = Shared.Kind
            and Things.Alias = Shared.Thing
),

Involved as (
    select distinct
        StoryThings.Kind,
        StoryThings.Thing,
        LakeDevices.DeviceId
    from StoryThings
    inner join LakeDevices using (AlertId)
),

Common as (
    select
        Kind,
        Thing
    from Shown
    anti join Involved using (Kind, Thing, DeviceId)
    group by Kind, Thing
    having count(*) > 3
)

select
    StoryThings.*,
    Shared.Alerts,
    Shared.FirstAlertId
from StoryThings
inner join Shared using (Kind, Thing)
semi join Alerts using (AlertId)
anti join Common using (Kind, Thing)
