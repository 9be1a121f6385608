-- Every alert of the day is counted once, under its detector and title, and no other is.
with Told as (
    select
        DetectorId,
        Title,
        count(*) as Created,
        0 as Counted
    from Alerts
    group by DetectorId, Title
    union all
    select
        DetectorId,
        Title,
        0 as Created,
        Alerts as Counted
    from DetectorScorecard
)

select
    DetectorId,
    Title,
    sum(Created)::bigint as Created,
    sum(Counted)::bigint as Counted
from Told
group by DetectorId, Title
having sum(Created) <> sum(Counted)
