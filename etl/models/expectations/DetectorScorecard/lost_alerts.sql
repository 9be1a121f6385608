-- Every alert of the day is counted once, under its day, detector and title, and no other is.
with Told as (
    select
        CreatedTime::date as CreatedDate,
        DetectorId,
        Title,
        count(*) as Created,
        0 as Counted
    from Alerts
    group by CreatedDate, DetectorId, Title
    union all
    select
        CreatedDate,
        DetectorId,
        Title,
        0 as Created,
        Alerts as Counted
    from DetectorScorecard
)

select
    CreatedDate,
    DetectorId,
    Title,
    sum(Created)::bigint as Created,
    sum(Counted)::bigint as Counted
from Told
group by CreatedDate, DetectorId, Title
having sum(Created) <> sum(Counted)
