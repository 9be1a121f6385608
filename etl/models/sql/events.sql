-- Whole rows of the matched events of all tables, columns united by name: what a table lacks is null.
-- A view, of which only the columns are read that are asked for.
-- Grain: EventTable, FileNumber, RowNumber. Inputs: the event tables, MatchedEvents.
select
    'DeviceProcessEvents' as EventTable,
    DeviceProcessEvents.*
from DeviceProcessEvents
semi join (from MatchedEvents where EventTable = 'DeviceProcessEvents') as Matched
    using (FileNumber, RowNumber)
union all by name
select
    'DeviceNetworkEvents' as EventTable,
    DeviceNetworkEvents.*
from DeviceNetworkEvents
semi join (from MatchedEvents where EventTable = 'DeviceNetworkEvents') as Matched
    using (FileNumber, RowNumber)
union all by name
select
    'DeviceFileEvents' as EventTable,
    DeviceFileEvents.*
from DeviceFileEvents
semi join (from MatchedEvents where EventTable = 'DeviceFileEvents') as Matched
    using (FileNumber, RowNumber)
union all by name
select
    'DeviceRegistryEvents' as EventTable,
    DeviceRegistryEvents.*
from DeviceRegistryEvents
semi join (from MatchedEvents where EventTable = 'DeviceRegistryEvents') as Matched
    using (FileNumber, RowNumber)
union all by name
select
    'DeviceImageLoadEvents' as EventTable,
    DeviceImageLoadEvents.*
from DeviceImageLoadEvents
semi join (from MatchedEvents where EventTable = 'DeviceImageLoadEvents') as Matched
    using (FileNumber, RowNumber)
union all by name
select
    'DeviceLogonEvents' as EventTable,
    DeviceLogonEvents.*
from DeviceLogonEvents
semi join (from MatchedEvents where EventTable = 'DeviceLogonEvents') as Matched
    using (FileNumber, RowNumber)
union all by name
select
    'DeviceEvents' as EventTable,
    DeviceEvents.*
from DeviceEvents
semi join (from MatchedEvents where EventTable = 'DeviceEvents') as Matched
    using (FileNumber, RowNumber)
