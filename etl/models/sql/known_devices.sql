-- Since when the lake knows each device by its events. Grain: DeviceId. Input: AllEvents.
select
    DeviceId,
    min(TimestampTicks) as OldestTicks
from AllEvents
group by DeviceId
