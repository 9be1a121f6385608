-- Events is the number of rows in mart.CorrelatedAlerts, and a match has some.
with Found as (
    select
        AlertId,
        EvidenceId,
        count(*) as Found
    from CorrelatedAlerts
    group by AlertId, EvidenceId
)

select
    AlertCorrelation.AlertId,
    AlertCorrelation.EvidenceId,
    AlertCorrelation.MatchTier,
    AlertCorrelation.Events,
    coalesce(Found.Found, 0) as Found
from AlertCorrelation
left join Found using (AlertId, EvidenceId)
where
    AlertCorrelation.Events <> coalesce(Found.Found, 0)
    or (AlertCorrelation.MatchTier = 'none') <> (AlertCorrelation.Events = 0)
