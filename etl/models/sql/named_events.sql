-- Events, each with its initiator and the initiator's parent as the event names them. A view.
-- Grain: EventTable, EventId. Inputs: AllEvents, Platforms.
-- A naming is the key and what else is said, which tells programs of one pid apart where times are cut.
-- Before bounds the initiator of a creation row: exec keeps the pid, and nobody starts itself.
-- Half keys, pid 0, sentinel times and System are nobody. A row of another action than creation says
-- nothing of who started its process; an aggregated report sums up an hour and is no single event.
select
    AllEvents.*,
    AllEvents.EventTable = 'DeviceProcessEvents'
    and coalesce(AllEvents.ActionType, 'ProcessCreated') = 'ProcessCreated'
    and coalesce(AllEvents.ProcessId > 0 and AllEvents.ProcessCreationTicks is not null, false) as Created,
    coalesce(AllEvents.ActionType like '%AggregatedReport', false) as Aggregated,
    AllEvents.ProcessCreationTicks // Platforms.Coarse as Slot,
    AllEvents.InitiatingProcessCreationTicks // Platforms.Coarse as InitiatorSlot,
    case
        when
            AllEvents.InitiatingProcessId > 0
            and AllEvents.InitiatingProcessCreationTicks is not null
            and not (AllEvents.InitiatingProcessId = 4 and Platforms.Platform = 'windows')
            then
                struct_pack(
                    DeviceId := AllEvents.DeviceId,
                    Pid := AllEvents.InitiatingProcessId,
                    Ticks := AllEvents.InitiatingProcessCreationTicks,
                    FileName := AllEvents.InitiatingProcessFileName,
                    SHA1 := AllEvents.InitiatingProcessSHA1,
                    SHA256 := AllEvents.InitiatingProcessSHA256,
                    CommandLine := AllEvents.InitiatingProcessCommandLine,
                    ParentPid := AllEvents.InitiatingProcessParentId,
                    ParentTicks := AllEvents.InitiatingProcessParentCreationTicks,
                    Before := if(
                        Created
                        and Platforms.Coarse > 10
                        and AllEvents.InitiatingProcessCreationTicks % Platforms.Coarse = 0,
                        AllEvents.ProcessCreationTicks
                        + if(AllEvents.ProcessId = AllEvents.InitiatingProcessId, 0, 1),
                        null
                    )
                )
    end as Initiator,
    case
        when
            AllEvents.InitiatingProcessParentId > 0
            and AllEvents.InitiatingProcessParentCreationTicks is not null
            and not (AllEvents.InitiatingProcessParentId = 4 and Platforms.Platform = 'windows')
            then
                struct_pack(
                    DeviceId := AllEvents.DeviceId,
                    Pid := AllEvents.InitiatingProcessParentId,
                    Ticks := AllEvents.InitiatingProcessParentCreationTicks,
                    FileName := AllEvents.InitiatingProcessParentFileName,
                    SHA1 := null::varchar,
                    SHA256 := null::varchar,
                    CommandLine := null::varchar,
                    ParentPid := null::bigint,
                    ParentTicks := null::bigint,
                    Before := null::bigint
                )
    end as InitiatorParent
from AllEvents
inner join Platforms using (DeviceId)
