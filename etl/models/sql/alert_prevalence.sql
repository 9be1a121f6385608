-- mart.AlertPrevalence: how well the lake knew what an alert names, before the alert's first activity.
-- Grain: TenantId, AlertId, Kind, Value.
-- Inputs: Alerts, AlertThings, ThingSightings, KnownDevices (of the whole lake).
-- The lake holds what was pulled around alerts: this is prevalence over the lake, not over the tenant.
with Marked as (
    select
        *,
        row_number() over (partition by Kind, Value, Device order by BeforeTicks, Day) = 1 as NewDevice,
        row_number() over (partition by Kind, Value, Day order by BeforeTicks, Device) = 1 as NewDay
    from ThingSightings
),

Slices as (
    select
        Kind,
        Value,
        BeforeTicks,
        count(*) filter (where NewDevice) as Devices,
        count(*) filter (where NewDay) as Days,
        sum(Events) as Events,
        min(FirstTicks) as FirstTicks,
        max(LastTicks) as LastTicks
    from Marked
    group by Kind, Value, BeforeTicks
),

Totals as (
    select
        Kind,
        Value,
        BeforeTicks,
        sum(Devices) over Earlier as Devices,
        sum(Days) over Earlier as Days,
        sum(Events) over Earlier as Events,
        min(FirstTicks) over Earlier as FirstTicks,
        max(LastTicks) over Earlier as LastTicks
    from Slices
    window Earlier as (partition by Kind, Value order by BeforeTicks)
),

Coverage as (
    select
        Active.AlertId,
        count(*) as Devices,
        min(KnownDevices.OldestTicks) as SinceTicks
    from (
        select distinct
            AlertId,
            ActivityTicks
        from AlertThings
    ) as Active
    inner join KnownDevices on Active.ActivityTicks > KnownDevices.OldestTicks
    group by Active.AlertId
)

select
    Alerts.TenantId,
    Alerts.AlertId,
    AlertThings.Kind,
    AlertThings.Value,
    coalesce(Totals.Devices, 0)::bigint as Devices,
    coalesce(Totals.Events, 0)::bigint as Events,
    make_timestamptz((Totals.FirstTicks - 621355968000000000) // 10) as FirstSeenAt,
    make_timestamptz((Totals.LastTicks - 621355968000000000) // 10) as LastSeenAt,
    coalesce(Totals.Days, 0)::bigint as DaysSeen,
    coalesce(Coverage.Devices, 0) as DevicesInLake,
    make_timestamptz((Coverage.SinceTicks - 621355968000000000) // 10) as LakeSince,
    Alerts.IngestedAt,
    Alerts.SourceRequestId
from AlertThings
asof left join Totals
    on
        AlertThings.Kind = Totals.Kind
        and AlertThings.Value = Totals.Value
        and AlertThings.ActivityTicks >= Totals.BeforeTicks
inner join Alerts on AlertThings.AlertId = Alerts.AlertId
left join Coverage on AlertThings.AlertId = Coverage.AlertId
order by Alerts.AlertId, AlertThings.Kind, AlertThings.Value
