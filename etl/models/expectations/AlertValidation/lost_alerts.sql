-- Every alert of the day has its verdict.
select AlertId
from Alerts
anti join AlertValidation using (AlertId)
