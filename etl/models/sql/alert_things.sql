-- What every alert of the day names, and the alert's first activity, before which it counts as seen.
-- Grain: AlertId, Kind, Value. Inputs: MatchedThings, ThingNames, Alerts.
select distinct
    MatchedThings.AlertId,
    MatchedThings.Kind,
    ThingNames.Value,
    epoch_us(coalesce(least(Alerts.FirstActivityTime, Alerts.LastActivityTime), Alerts.CreatedTime)) * 10
    + 621355968000000000 as ActivityTicks
from MatchedThings
inner join ThingNames using (Kind, Name)
inner join Alerts using (AlertId)
