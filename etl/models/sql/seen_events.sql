-- What events of the lake show of what the day's alerts name. One event may be there more than once: it
-- was pulled for several days, or names a thing twice.
-- Inputs: Things, NameKeys. Things, events and devices go by 64-bit hashes.
select
    NameKeys.Thing,
    hash(Things.EventTable, Things.EventId) as Event,
    hash(Things.DeviceId) as Device,
    Things.TimestampTicks as Ticks
from Things
inner join NameKeys on hash(Things.Kind, Things.Name) = NameKeys.Name
union all
select
    NameKeys.Thing,
    hash(Things.EventTable, Things.EventId) as Event,
    hash(Things.DeviceId) as Device,
    Things.TimestampTicks as Ticks
from Things
inner join NameKeys on hash(Things.Kind, Things.Alias) = NameKeys.Name
