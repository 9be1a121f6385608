-- The devices that any event was pulled of, and the oldest.
-- Grain: DeviceId. Input: AllEvents.
select
    DeviceId,
    min(TimestampTicks) as OldestTicks
from AllEvents
group by DeviceId
