-- No alert came before its process started.
select
    DetectorId,
    Title,
    Timed,
    DelaySeconds,
    MedianDelaySeconds
from DetectorScorecard
where
    DelaySeconds < 0
    or MedianDelaySeconds < 0
    or MedianDelaySeconds > P90DelaySeconds
    or (Timed = 0) <> (MedianDelaySeconds is null)
