-- Which event names which process: the key columns of all tables, of the devices that alerts name.
-- Grain: EventTable, FileNumber, RowNumber, which say where the row is in the day's files.
-- Inputs: the event tables, NamedDevices. Only these columns are read to match and to tell who started
-- whom; whole rows are read once it is known which.
with Keys as (
    select
        'DeviceProcessEvents' as EventTable,
        FileNumber,
        RowNumber,
        DeviceId,
        TimestampTicks,
        ProcessId,
        ProcessCreationTicks,
        InitiatingProcessId,
        InitiatingProcessCreationTicks,
        InitiatingProcessParentId,
        InitiatingProcessParentCreationTicks
    from DeviceProcessEvents
    union all
    select
        'DeviceNetworkEvents' as EventTable,
        FileNumber,
        RowNumber,
        DeviceId,
        TimestampTicks,
        null::bigint as ProcessId,
        null::bigint as ProcessCreationTicks,
        InitiatingProcessId,
        InitiatingProcessCreationTicks,
        InitiatingProcessParentId,
        InitiatingProcessParentCreationTicks
    from DeviceNetworkEvents
    union all
    select
        'DeviceFileEvents' as EventTable,
        FileNumber,
        RowNumber,
        DeviceId,
        TimestampTicks,
        null::bigint as ProcessId,
        null::bigint as ProcessCreationTicks,
        InitiatingProcessId,
        InitiatingProcessCreationTicks,
        InitiatingProcessParentId,
        InitiatingProcessParentCreationTicks
    from DeviceFileEvents
    union all
    select
        'DeviceRegistryEvents' as EventTable,
        FileNumber,
        RowNumber,
        DeviceId,
        TimestampTicks,
        null::bigint as ProcessId,
        null::bigint as ProcessCreationTicks,
        InitiatingProcessId,
        InitiatingProcessCreationTicks,
        InitiatingProcessParentId,
        InitiatingProcessParentCreationTicks
    from DeviceRegistryEvents
    union all
    select
        'DeviceImageLoadEvents' as EventTable,
        FileNumber,
        RowNumber,
        DeviceId,
        TimestampTicks,
        null::bigint as ProcessId,
        null::bigint as ProcessCreationTicks,
        InitiatingProcessId,
        InitiatingProcessCreationTicks,
        InitiatingProcessParentId,
        InitiatingProcessParentCreationTicks
    from DeviceImageLoadEvents
    union all
    select
        'DeviceLogonEvents' as EventTable,
        FileNumber,
        RowNumber,
        DeviceId,
        TimestampTicks,
        null::bigint as ProcessId,
        null::bigint as ProcessCreationTicks,
        InitiatingProcessId,
        InitiatingProcessCreationTicks,
        InitiatingProcessParentId,
        InitiatingProcessParentCreationTicks
    from DeviceLogonEvents
    union all
    select
        'DeviceEvents' as EventTable,
        FileNumber,
        RowNumber,
        DeviceId,
        TimestampTicks,
        ProcessId,
        ProcessCreationTicks,
        InitiatingProcessId,
        InitiatingProcessCreationTicks,
        InitiatingProcessParentId,
        InitiatingProcessParentCreationTicks
    from DeviceEvents
)

select Keys.*
from Keys
semi join NamedDevices using (DeviceId)
