-- Paths of the programs seen on every device, which tell its operating system.
-- Grain: none, duplicates do no harm. Inputs: the event tables.
select
    DeviceId,
    InitiatingProcessFolderPath as Path
from DeviceProcessEvents
union
select
    DeviceId,
    InitiatingProcessFolderPath as Path
from DeviceNetworkEvents
union
select
    DeviceId,
    InitiatingProcessFolderPath as Path
from DeviceFileEvents
union
select
    DeviceId,
    InitiatingProcessFolderPath as Path
from DeviceRegistryEvents
union
select
    DeviceId,
    InitiatingProcessFolderPath as Path
from DeviceImageLoadEvents
union
select
    DeviceId,
    InitiatingProcessFolderPath as Path
from DeviceLogonEvents
union
select
    DeviceId,
    InitiatingProcessFolderPath as Path
from DeviceEvents
