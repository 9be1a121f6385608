-- When devices are known to have been alive: hours with events of any table, and hours with a heartbeat.
-- Grain: DeviceId, Hour, once for events and once for heartbeats. Inputs: EventKeys, DeviceInfo. First and
-- last tick in the hour; the last heartbeat of an hour stands for all of it. A heartbeat of a sensor that
-- is not active is no sign of life, nor is what is said of an id after it was given up.
select
    DeviceId,
    TimestampTicks // 36000000000 as Hour,
    min(TimestampTicks) as FirstTicks,
    max(TimestampTicks) as LastTicks
from EventKeys
group by DeviceId, Hour
union all
select distinct
    DeviceId,
    TimestampTicks // 36000000000 as Hour,
    Hour * 36000000000 as FirstTicks,
    Hour * 36000000000 + 35999999999 as LastTicks
from DeviceInfo
where
    coalesce(lower(nullif(SensorHealthState, '')), 'active') = 'active'
    and nullif(MergedToDeviceId, '') is null
