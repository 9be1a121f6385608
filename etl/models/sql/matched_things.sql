-- What the events that belong to an alert name.
-- Grain: AlertId, Kind, Name, Alias. Inputs: Things, CorrelatedAlerts.
-- An event that is about the evidence's process tells of that process, not of its parent.
select distinct
    CorrelatedAlerts.AlertId,
    Things.Kind,
    Things.Name,
    Things.Alias
from Things
inner join CorrelatedAlerts using (EventTable, EventId)
where
    Things.Kind <> 'account'
    and (Things.MatchRole = 'subject' or CorrelatedAlerts.MatchRole = 'initiator')
