-- How often the lake saw what the day's alerts name, by the first alert that each event comes before.
-- Grain: Kind, Value, DeviceId, Day, BeforeTicks. Inputs: Things, ThingNames, AlertThings.
-- An event that was pulled for several days counts once. Day counts days of ticks.
with Seen as (
    select
        ThingNames.Kind,
        ThingNames.Value,
        Things.EventTable,
        Things.EventId,
        Things.DeviceId,
        Things.TimestampTicks
    from Things
    inner join ThingNames
        on
            Things.Kind = ThingNames.Kind
            and Things.Name = ThingNames.Name
    union
    select
        ThingNames.Kind,
        ThingNames.Value,
        Things.EventTable,
        Things.EventId,
        Things.DeviceId,
        Things.TimestampTicks
    from Things
    inner join ThingNames
        on
            Things.Kind = ThingNames.Kind
            and Things.Alias = ThingNames.Name
),

Bounds as (
    select distinct
        Kind,
        Value,
        ActivityTicks as BeforeTicks
    from AlertThings
)

select
    Seen.Kind,
    Seen.Value,
    Seen.DeviceId,
    Seen.TimestampTicks // 864000000000 as Day,
    Bounds.BeforeTicks,
    count(*) as Events,
    min(Seen.TimestampTicks) as FirstTicks,
    max(Seen.TimestampTicks) as LastTicks
from Seen
asof inner join Bounds
    on
        Seen.Kind = Bounds.Kind
        and Seen.Value = Bounds.Value
        and Seen.TimestampTicks < Bounds.BeforeTicks
group by Seen.Kind, Seen.Value, Seen.DeviceId, Day, Bounds.BeforeTicks
