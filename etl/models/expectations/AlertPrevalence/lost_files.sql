-- Every file that an alert's events are about, by SHA256, has its row.
select distinct
    CorrelatedAlerts.AlertId,
    lower(CorrelatedAlerts.SHA256) as SHA256
from CorrelatedAlerts
anti join AlertPrevalence
    on
        CorrelatedAlerts.AlertId = AlertPrevalence.AlertId
        and AlertPrevalence.Kind = 'file'
        and lower(CorrelatedAlerts.SHA256) = AlertPrevalence.Value
where CorrelatedAlerts.SHA256 <> ''
