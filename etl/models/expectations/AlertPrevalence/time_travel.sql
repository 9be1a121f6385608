-- What was seen before was seen before the alert's first activity, in order, and not before the lake began.
select
    AlertPrevalence.AlertId,
    AlertPrevalence.Kind,
    AlertPrevalence.Value,
    AlertPrevalence.LakeSince,
    AlertPrevalence.FirstSeenAt,
    AlertPrevalence.LastSeenAt
from AlertPrevalence
inner join Alerts using (AlertId)
where
    AlertPrevalence.LastSeenAt
    > coalesce(least(Alerts.FirstActivityTime, Alerts.LastActivityTime), Alerts.CreatedTime)
    or AlertPrevalence.FirstSeenAt > AlertPrevalence.LastSeenAt
    or AlertPrevalence.LakeSince > AlertPrevalence.FirstSeenAt
