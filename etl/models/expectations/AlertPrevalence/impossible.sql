-- Nothing is seen on more devices, or more days, than there are events, nor on more than the lake has.
select
    AlertId,
    Kind,
    Value,
    Devices,
    Events,
    DaysSeen,
    DevicesInLake
from AlertPrevalence
where
    Devices > Events
    or DaysSeen > Events
    or Devices > DevicesInLake
    or (Events = 0) <> (Devices = 0)
    or (Events = 0) <> (DaysSeen = 0)
    or (Events = 0) <> (FirstSeenAt is null)
