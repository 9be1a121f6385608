-- Every row's alert exists.
select AlertId
from AlertValidation
anti join Alerts using (AlertId)
