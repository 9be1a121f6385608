-- mart.AlertTimeline: what each alert's matched processes and their descendants did, in order.
-- Grain: TenantId, AlertId, EventTable, EventId.
-- Inputs: Tree (mart.ProcessTree), NamedEvents, NamedProcesses, MatchedEvents, Alerts.
-- The creation rows of those processes are among it, as their initiators' doing. What was done is one
-- line: what cannot be seen in a text is a space, as attackers write it.
with Acting as (select * from Tree where Depth >= 0),

Acts as (
    select
        true as Own,
        Acting.AlertId,
        Acting.ParentProcessId as ActorPid,
        Acting.ParentProcessCreationTicks as ActorTicks,
        Acting.Depth - 1 as ActorDepth,
        NamedEvents.*
    from NamedEvents
    inner join Acting
        on
            NamedEvents.DeviceId = Acting.DeviceId
            and NamedEvents.ProcessId = Acting.ProcessId
            and NamedEvents.ProcessCreationTicks = Acting.ProcessCreationTicks
    where NamedEvents.Created
    union all
    select
        false as Own,
        Acting.AlertId,
        Acting.ProcessId as ActorPid,
        Acting.ProcessCreationTicks as ActorTicks,
        Acting.Depth as ActorDepth,
        NamedEvents.*
    from NamedEvents
    inner join NamedProcesses on NamedEvents.Initiator = NamedProcesses.Naming
    inner join Acting
        on
            NamedProcesses.DeviceId = Acting.DeviceId
            and NamedProcesses.Pid = Acting.ProcessId
            and NamedProcesses.Ticks = Acting.ProcessCreationTicks
),

Once as (
    select
        *,
        concat_ws(
            ' ',
            coalesce(ProcessCommandLine, FolderPath, FileName),
            if(contains(RemoteIP, ':'), '[' || RemoteIP || ']', RemoteIP)
            || coalesce(':' || RemotePort, ''),
            RemoteUrl,
            RegistryKey || coalesce('\' || nullif(RegistryValueName, ''), ''),
            '= ' || RegistryValueData,
            if(EventTable = 'DeviceLogonEvents', concat_ws('\', AccountDomain, AccountName), null)
        ) as Named,
        if(Named = '', AdditionalFields, Named) as Told
    from Acts
    qualify row_number() over (partition by AlertId, EventTable, FileNumber, RowNumber order by Own desc) = 1
),

Tiers as (
    select
        AlertId,
        EventTable,
        FileNumber,
        RowNumber,
        arg_min(
            MatchTier, list_position(['exact', 'precision', 'tolerance', 'pivot'], MatchTier)
        ) as MatchTier
    from MatchedEvents
    group by AlertId, EventTable, FileNumber, RowNumber
)

select
    Alerts.TenantId,
    Alerts.AlertId,
    Alerts.Title,
    Alerts.Severity,
    Alerts.Status,
    Alerts.CreatedTime,
    Once.EventTable,
    Once.EventId,
    Once.Timestamp,
    Once.TimestampTicks,
    Once.DeviceId,
    Once.DeviceName,
    coalesce(Actor.Depth, Once.ActorDepth) as Depth,
    Once.ActorPid as InitiatingProcessId,
    Once.ActorTicks as InitiatingProcessCreationTicks,
    coalesce(Actor.FileName, Once.InitiatingProcessFileName) as InitiatingProcessFileName,
    Once.ActionType,
    nullif(
        left(
            trim(regexp_replace(Once.Told, '[\pC\pZ]+', ' ', 'g')),
            300
        ),
        ''
    ) as What,
    Once.ProcessId,
    Once.ProcessCreationTicks,
    Tiers.MatchTier,
    Once.Aggregated,
    Once.IngestedAt,
    Once.SourceRequestId
from Once
inner join Alerts using (AlertId)
left join Tree as Actor
    on
        Once.AlertId = Actor.AlertId
        and Once.DeviceId = Actor.DeviceId
        and Once.ActorPid = Actor.ProcessId
        and Once.ActorTicks = Actor.ProcessCreationTicks
left join Tiers using (AlertId, EventTable, FileNumber, RowNumber)
order by Alerts.AlertId, Once.TimestampTicks, Once.EventTable, Once.EventId
