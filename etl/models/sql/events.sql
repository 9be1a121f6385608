-- Whole rows of the matched events of all tables, columns united by name.
-- Grain: EventTable, EventId. Inputs: MatchedEvents, the event tables.
select
    'DeviceProcessEvents' as EventTable,
    DeviceProcessEvents.*
from DeviceProcessEvents
semi join MatchedEvents
    on
        DeviceProcessEvents.EventId = MatchedEvents.EventId
        and MatchedEvents.EventTable = 'DeviceProcessEvents'
union all by name
select
    'DeviceNetworkEvents' as EventTable,
    DeviceNetworkEvents.*
from DeviceNetworkEvents
semi join MatchedEvents
    on
        DeviceNetworkEvents.EventId = MatchedEvents.EventId
        and MatchedEvents.EventTable = 'DeviceNetworkEvents'
union all by name
select
    'DeviceFileEvents' as EventTable,
    DeviceFileEvents.*
from DeviceFileEvents
semi join MatchedEvents
    on
        DeviceFileEvents.EventId = MatchedEvents.EventId
        and MatchedEvents.EventTable = 'DeviceFileEvents'
union all by name
select
    'DeviceRegistryEvents' as EventTable,
    DeviceRegistryEvents.*
from DeviceRegistryEvents
semi join MatchedEvents
    on
        DeviceRegistryEvents.EventId = MatchedEvents.EventId
        and MatchedEvents.EventTable = 'DeviceRegistryEvents'
union all by name
select
    'DeviceImageLoadEvents' as EventTable,
    DeviceImageLoadEvents.*
from DeviceImageLoadEvents
semi join MatchedEvents
    on
        DeviceImageLoadEvents.EventId = MatchedEvents.EventId
        and MatchedEvents.EventTable = 'DeviceImageLoadEvents'
union all by name
select
    'DeviceLogonEvents' as EventTable,
    DeviceLogonEvents.*
from DeviceLogonEvents
semi join MatchedEvents
    on
        DeviceLogonEvents.EventId = MatchedEvents.EventId
        and MatchedEvents.EventTable = 'DeviceLogonEvents'
union all by name
select
    'DeviceEvents' as EventTable,
    DeviceEvents.*
from DeviceEvents
semi join MatchedEvents
    on
        DeviceEvents.EventId = MatchedEvents.EventId
        and MatchedEvents.EventTable = 'DeviceEvents'
