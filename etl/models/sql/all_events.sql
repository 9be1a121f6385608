-- The events of all tables, columns united by name: what a table lacks is null.
-- Grain: EventTable, FileNumber, RowNumber. Inputs: the event tables.
select
    'DeviceProcessEvents' as EventTable,
    DeviceProcessEvents.*
from DeviceProcessEvents
union all by name
select
    'DeviceNetworkEvents' as EventTable,
    DeviceNetworkEvents.*
from DeviceNetworkEvents
union all by name
select
    'DeviceFileEvents' as EventTable,
    DeviceFileEvents.*
from DeviceFileEvents
union all by name
select
    'DeviceRegistryEvents' as EventTable,
    DeviceRegistryEvents.*
from DeviceRegistryEvents
union all by name
select
    'DeviceImageLoadEvents' as EventTable,
    DeviceImageLoadEvents.*
from DeviceImageLoadEvents
union all by name
select
    'DeviceLogonEvents' as EventTable,
    DeviceLogonEvents.*
from DeviceLogonEvents
union all by name
select
    'DeviceEvents' as EventTable,
    DeviceEvents.*
from DeviceEvents
