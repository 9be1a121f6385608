-- A pivot is found within a day of the alert's activity, and no event is older than hunting keeps: 30 days,
-- and one more for the clocks.
select
    CorrelatedAlerts.AlertId,
    CorrelatedAlerts.EvidenceId,
    CorrelatedAlerts.EventTable,
    CorrelatedAlerts.EventId,
    CorrelatedAlerts.Timestamp
from CorrelatedAlerts
inner join Alerts using (AlertId)
where
    CorrelatedAlerts.Timestamp < CorrelatedAlerts.IngestedAt - interval 31 day
    or (
        CorrelatedAlerts.MatchTier = 'pivot'
        and CorrelatedAlerts.Timestamp
        not between coalesce(least(Alerts.FirstActivityTime, Alerts.LastActivityTime), Alerts.CreatedTime)
        - interval 1 day
        and coalesce(greatest(Alerts.FirstActivityTime, Alerts.LastActivityTime), Alerts.CreatedTime)
        + interval 1 day
    )
