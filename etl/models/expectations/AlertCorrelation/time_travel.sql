-- A matched process is as far from the evidence as its tier allows, and did not start after the alert was
-- last told of: evidence cannot name what is yet to come. A day is left for clocks that are wrong.
select
    AlertCorrelation.AlertId,
    AlertCorrelation.EvidenceId,
    AlertCorrelation.MatchTier,
    AlertCorrelation.MatchedProcessCreationTicks,
    AlertCorrelation.MatchedProcessCreationTicks - AlertCorrelation.ProcessCreationTicks as Apart
from AlertCorrelation
inner join Alerts using (AlertId)
where
    (AlertCorrelation.MatchTier = 'exact' and Apart <> 0)
    or (AlertCorrelation.MatchTier = 'precision' and abs(Apart) >= 100000)
    or AlertCorrelation.MatchedProcessCreationTicks
    > epoch_us(coalesce(greatest(Alerts.CreatedTime, Alerts.LastUpdateTime), Alerts.CreatedTime)) * 10
    + 621355968000000000 + 864000000000
