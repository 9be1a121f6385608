-- mart.ProcessTree: the processes near each alert, who started them, and what is known of them.
-- Grain: TenantId, AlertId, DeviceId, ProcessId, ProcessCreationTicks.
-- Inputs: Kin, Lineage, ResolvedMentions, Matches, Alerts.
-- What is said of a process comes whole from its best source: its creation row, else the earliest event
-- it caused, the evidence, or its child's event. Position is that of a walk from each root downwards,
-- children by time; Generation counts from the root.
with recursive Said as (
    select * exclude (Naming, Parent, ParentPid, ParentTicks)
    from ResolvedMentions
    union all by name
    select
        5 as Source,
        DeviceId,
        DeviceName,
        ParentPid as Pid,
        ParentTicks as Ticks,
        Parent.FileName,
        SeenTicks,
        Provenance
    from ResolvedMentions
    where ParentTicks is not null
),

Facts as (
    select *
    from Said
    qualify row_number() over (
        partition by DeviceId, Pid, Ticks
        order by Source, SeenTicks, FileName, CommandLine, AccountName, FolderPath, SHA256, SHA1, Provenance
    ) = 1
),

Names as (
    select
        DeviceId,
        max(DeviceName) as DeviceName
    from Said
    group by DeviceId
),

Named as (
    select
        AlertId,
        DeviceId,
        ProcessId as Pid,
        InstanceTicks as Ticks,
        list(distinct EvidenceId order by EvidenceId) as EvidenceIds
    from Matches
    where not Ambiguous
    group by AlertId, DeviceId, ProcessId, InstanceTicks
),

Linked as (
    select
        Kin.*,
        Lineage.ParentPid,
        Lineage.ParentTicks,
        Above.Pid is null as Root
    from Kin
    left join Lineage using (DeviceId, Pid, Ticks)
    left join Kin as Above
        on
            Kin.AlertId = Above.AlertId
            and Kin.DeviceId = Above.DeviceId
            and Lineage.ParentPid = Above.Pid
            and Lineage.ParentTicks = Above.Ticks
),

Walked as (
    select
        AlertId,
        DeviceId,
        Pid,
        Ticks,
        [struct_pack(Ticks := Ticks, Pid := Pid)] as Path
    from Linked
    where Root
    union all
    select
        Linked.AlertId,
        Linked.DeviceId,
        Linked.Pid,
        Linked.Ticks,
        list_append(Walked.Path, struct_pack(Ticks := Linked.Ticks, Pid := Linked.Pid)) as Path
    from Walked
    inner join Linked
        on
            Walked.AlertId = Linked.AlertId
            and Walked.DeviceId = Linked.DeviceId
            and Walked.Pid = Linked.ParentPid
            and Walked.Ticks = Linked.ParentTicks
)

select
    Alerts.TenantId,
    Alerts.AlertId,
    Alerts.Title,
    Alerts.Severity,
    Alerts.Status,
    Alerts.CreatedTime,
    Linked.DeviceId,
    Names.DeviceName,
    Linked.Pid as ProcessId,
    make_timestamp((Linked.Ticks - 621355968000000000) // 10)::timestamptz as ProcessCreationTime,
    Linked.Ticks as ProcessCreationTicks,
    Linked.Depth::bigint as Depth,
    row_number() over (partition by Linked.AlertId order by Linked.DeviceId, Walked.Path) as Position,
    len(Walked.Path) - 1 as Generation,
    Linked.ParentPid as ParentProcessId,
    Linked.ParentTicks as ParentProcessCreationTicks,
    Facts.FileName,
    Facts.FolderPath,
    Facts.CommandLine as ProcessCommandLine,
    Facts.SHA1,
    Facts.SHA256,
    Facts.AccountName,
    Facts.Source = 1 as Observed,
    coalesce(Named.EvidenceIds, []) as EvidenceIds,
    Facts.Provenance.IngestedAt,
    Facts.Provenance.SourceRequestId
from Linked
inner join Walked using (AlertId, DeviceId, Pid, Ticks)
inner join Facts using (DeviceId, Pid, Ticks)
inner join Names using (DeviceId)
inner join Alerts using (AlertId)
left join Named using (AlertId, DeviceId, Pid, Ticks)
