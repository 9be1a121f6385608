-- The command lines that the events of the day's alerts name.
-- Grain: Line. Input: MatchedThings.
select distinct Name as Line
from MatchedThings
where Kind = 'command_line'
