-- When the oldest event was that was pulled of any device that alerts name. Grain: one row, Ticks null
-- where there is none. Input: EventKeys.
select min(TimestampTicks) as Ticks
from EventKeys
