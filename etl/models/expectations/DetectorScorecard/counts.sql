-- The tiers add up to the alerts, parts are no larger than their whole, and the rates follow from the counts.
select
    DetectorId,
    Title,
    Alerts,
    MatchRate,
    Classified,
    FalsePositives,
    FalsePositiveRate
from DetectorScorecard
where
    Alerts <> AlertsExact + AlertsPrecision + AlertsTolerance + AlertsPivot + AlertsNone
    or abs(MatchRate * Alerts - (Alerts - AlertsNone)) > 0.001
    or Timed > AlertsExact + AlertsPrecision + AlertsTolerance
    or Classified > Alerts
    or FalsePositives > Classified
    or (Classified = 0) <> (FalsePositiveRate is null)
    or abs(FalsePositiveRate * Classified - FalsePositives) > 0.001
