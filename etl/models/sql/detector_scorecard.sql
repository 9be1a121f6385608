-- mart.DetectorScorecard: how the alerts of a detector and title fare, by numbers that add up over days.
-- Grain: TenantId, CreatedDate, DetectorId, Title. Inputs: Alerts, AlertCorrelation.
-- An alert counts at the best tier of its evidence. It is timed from the start of the last of its matched
-- processes that ran before it was created: parents may have run for weeks.
with Told as (
    select
        Alerts.*,
        Alerts.CreatedTime::date as CreatedDate,
        epoch_us(Alerts.CreatedTime) * 10 + 621355968000000000 as CreatedTicks
    from Alerts
),

Scored as (
    select
        Told.AlertId,
        any_value(Told.CreatedTicks) - max(AlertCorrelation.MatchedProcessCreationTicks) filter (
            where AlertCorrelation.MatchedProcessCreationTicks <= Told.CreatedTicks
        ) as Delay,
        min(
            list_position(['exact', 'precision', 'tolerance', 'pivot', 'none'], AlertCorrelation.MatchTier)
        ) as Tier
    from Told
    inner join AlertCorrelation using (AlertId)
    group by Told.AlertId
),

Counted as (
    select
        Told.TenantId,
        Told.CreatedDate,
        Told.DetectorId,
        Told.Title,
        count(*) as Alerts,
        count(*) filter (where Scored.Tier = 1) as Exact,
        count(*) filter (where Scored.Tier = 2) as Precise,
        count(*) filter (where Scored.Tier = 3) as Tolerated,
        count(*) filter (where Scored.Tier = 4) as Pivoted,
        count(Scored.Delay) as Timed,
        coalesce(sum(Scored.Delay), 0) / 1e7 as DelaySeconds,
        quantile_cont(Scored.Delay, 0.5) / 1e7 as MedianDelaySeconds,
        quantile_cont(Scored.Delay, 0.9) / 1e7 as P90DelaySeconds,
        count(*) filter (where Told.Classification <> 'Unknown') as Classified,
        count(*) filter (where Told.Classification = 'FalsePositive') as FalsePositives,
        max(Told.IngestedAt) as IngestedAt,
        arg_max(Told.SourceRequestId, Told.IngestedAt) as SourceRequestId
    from Told
    left join Scored using (AlertId)
    group by Told.TenantId, Told.CreatedDate, Told.DetectorId, Told.Title
)

select
    TenantId,
    CreatedDate,
    DetectorId,
    Title,
    Alerts,
    Exact as AlertsExact,
    Precise as AlertsPrecision,
    Tolerated as AlertsTolerance,
    Pivoted as AlertsPivot,
    Alerts - Exact - Precise - Tolerated - Pivoted as AlertsNone,
    (Exact + Precise + Tolerated + Pivoted) / Alerts as MatchRate,
    Timed,
    DelaySeconds,
    MedianDelaySeconds,
    P90DelaySeconds,
    Classified,
    FalsePositives,
    FalsePositives / nullif(Classified, 0) as FalsePositiveRate,
    IngestedAt,
    SourceRequestId
from Counted
order by CreatedDate, DetectorId, Title
