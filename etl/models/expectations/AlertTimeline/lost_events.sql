-- Whatever a matched process did is on the timeline of its alert.
select distinct
    CorrelatedAlerts.AlertId,
    CorrelatedAlerts.EventTable,
    CorrelatedAlerts.EventId
from CorrelatedAlerts
anti join AlertTimeline using (AlertId, EventTable, EventId)
where CorrelatedAlerts.MatchTier <> 'pivot' and CorrelatedAlerts.MatchRole = 'initiator'
