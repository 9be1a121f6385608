-- The devices that any event was pulled of, and the oldest.
-- Grain: DeviceId, table of origin; duplicates do no harm. Inputs: the event tables.
select
    DeviceId,
    min(TimestampTicks) as OldestTicks
from DeviceProcessEvents
group by DeviceId
union all
select
    DeviceId,
    min(TimestampTicks) as OldestTicks
from DeviceNetworkEvents
group by DeviceId
union all
select
    DeviceId,
    min(TimestampTicks) as OldestTicks
from DeviceFileEvents
group by DeviceId
union all
select
    DeviceId,
    min(TimestampTicks) as OldestTicks
from DeviceRegistryEvents
group by DeviceId
union all
select
    DeviceId,
    min(TimestampTicks) as OldestTicks
from DeviceImageLoadEvents
group by DeviceId
union all
select
    DeviceId,
    min(TimestampTicks) as OldestTicks
from DeviceLogonEvents
group by DeviceId
union all
select
    DeviceId,
    min(TimestampTicks) as OldestTicks
from DeviceEvents
group by DeviceId
