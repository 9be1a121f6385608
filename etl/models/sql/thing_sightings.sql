-- How often the lake saw what the day's alerts name, by the first alert that each event comes before.
-- Grain: Kind, Value, Device, Day, BeforeTicks. Day counts days of ticks.
-- Inputs: SeenEvents, AlertThings, Parts (Number of Total: which devices of which thing to tell of, so that
-- no more has to be held at once). An event counts once, however often it was pulled.
-- Most events come before all of the day's alerts; only the others are laid between them.
with Once as (
    select distinct SeenEvents.*
    from SeenEvents
    cross join Parts
    where hash(SeenEvents.Thing, SeenEvents.Device) % Parts.Total = Parts.Number
),

Bounds as (
    select distinct
        Kind,
        Value,
        hash(Kind, Value) as Thing,
        ActivityTicks as BeforeTicks
    from AlertThings
),

Firsts as (
    select
        Kind,
        Value,
        Thing,
        min(BeforeTicks) as FirstTicks
    from Bounds
    group by Kind, Value, Thing
),

Early as (
    select
        Once.*,
        Firsts.FirstTicks as BeforeTicks
    from Once
    inner join Firsts
        on
            Once.Thing = Firsts.Thing
            and Once.Ticks < Firsts.FirstTicks
),

Late as (
    select Once.*
    from Once
    inner join Firsts
        on
            Once.Thing = Firsts.Thing
            and Once.Ticks >= Firsts.FirstTicks
),

Placed as (
    select *
    from Early
    union all
    select
        Late.*,
        Bounds.BeforeTicks
    from Late
    asof inner join Bounds
        on
            Late.Thing = Bounds.Thing
            and Late.Ticks < Bounds.BeforeTicks
)

select
    Firsts.Kind,
    Firsts.Value,
    Placed.Device,
    Placed.Ticks // 864000000000 as Day,
    Placed.BeforeTicks,
    count(*) as Events,
    min(Placed.Ticks) as FirstTicks,
    max(Placed.Ticks) as LastTicks
from Placed
inner join Firsts using (Thing)
group by Firsts.Kind, Firsts.Value, Placed.Device, Day, Placed.BeforeTicks
