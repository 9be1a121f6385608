-- What is said of the processes that may be near a matched one: who each is, and who started it.
-- Grain: every distinct statement. Inputs: KinSlots, NamedEvents, Matches, AlertEvidence.
--   Source 1  a creation row, about its own process; its initiator is the parent
--   Source 2  any event, about its initiator and the initiator's parent
--   Source 3  the evidence, about the process that it was matched to
--   Source 4  an aggregated report, about its initiator; it builds no tree
-- Whom 1 and 3 are about is known by key; whom 2 and 4 are about, and every parent, by a naming.
with Stated as (
    select
        1 as Source,
        NamedEvents.DeviceId,
        NamedEvents.DeviceName,
        NamedEvents.ProcessId as Pid,
        NamedEvents.ProcessCreationTicks as Ticks,
        null as Naming,
        NamedEvents.Initiator as Parent,
        NamedEvents.FileName,
        NamedEvents.FolderPath,
        NamedEvents.SHA1,
        NamedEvents.SHA256,
        NamedEvents.ProcessCommandLine as CommandLine,
        NamedEvents.AccountName,
        NamedEvents.TimestampTicks,
        NamedEvents.IngestedAt,
        NamedEvents.SourceRequestId
    from NamedEvents
    semi join KinSlots
        on
            NamedEvents.DeviceId = KinSlots.DeviceId
            and NamedEvents.ProcessId = KinSlots.Pid
            and NamedEvents.Slot = KinSlots.Slot
    where NamedEvents.Created
    union all
    select
        if(NamedEvents.Aggregated, 4, 2) as Source,
        NamedEvents.DeviceId,
        NamedEvents.DeviceName,
        NamedEvents.InitiatingProcessId as Pid,
        NamedEvents.InitiatingProcessCreationTicks as Ticks,
        NamedEvents.Initiator as Naming,
        NamedEvents.InitiatorParent as Parent,
        NamedEvents.InitiatingProcessFileName as FileName,
        NamedEvents.InitiatingProcessFolderPath as FolderPath,
        NamedEvents.InitiatingProcessSHA1 as SHA1,
        NamedEvents.InitiatingProcessSHA256 as SHA256,
        NamedEvents.InitiatingProcessCommandLine as CommandLine,
        NamedEvents.InitiatingProcessAccountName as AccountName,
        NamedEvents.TimestampTicks,
        NamedEvents.IngestedAt,
        NamedEvents.SourceRequestId
    from NamedEvents
    semi join KinSlots
        on
            NamedEvents.DeviceId = KinSlots.DeviceId
            and NamedEvents.InitiatingProcessId = KinSlots.Pid
            and NamedEvents.InitiatorSlot = KinSlots.Slot
    where NamedEvents.Initiator is not null
    union all
    select
        3 as Source,
        Matches.DeviceId,
        AlertEvidence.DeviceName,
        Matches.ProcessId as Pid,
        Matches.InstanceTicks as Ticks,
        null as Naming,
        null as Parent,
        AlertEvidence.FileName,
        AlertEvidence.FolderPath,
        AlertEvidence.SHA1,
        AlertEvidence.SHA256,
        AlertEvidence.ProcessCommandLine as CommandLine,
        AlertEvidence.AccountName,
        null as TimestampTicks,
        AlertEvidence.IngestedAt,
        AlertEvidence.SourceRequestId
    from Matches
    inner join AlertEvidence using (AlertId, EvidenceId)
    where not Matches.Ambiguous
)

select
    * exclude (TimestampTicks, IngestedAt, SourceRequestId),
    min(TimestampTicks) as SeenTicks,
    min(struct_pack(IngestedAt := IngestedAt, SourceRequestId := SourceRequestId)) as Provenance
from Stated
group by all
