-- Leads that have no match yet; one that could be one of several processes is not among them.
-- Grain: AlertId, EvidenceId. Inputs: Leads, Matches, Pivots.
-- What names no device is open until something is found near: no window around a device covers it.
with Found as (
    select
        AlertId,
        EvidenceId
    from Matches
    union
    select
        AlertId,
        EvidenceId
    from Pivots
    where Reach = 'near' or not Anywhere
)

select Leads.*
from Leads
anti join Found using (AlertId, EvidenceId)
order by Leads.AlertId, Leads.EvidenceId
