-- Every hunt's alert exists. Its evidence may be gone: alerts change, and what was asked was asked.
select
    AlertId,
    HuntId
from AlertHunts
anti join Alerts using (AlertId)
