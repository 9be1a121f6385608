-- The command lines of the lake and of the day's alerts, each once.
-- Grain: Line. Inputs: Things, MatchedThings.
select Name as Line
from Things
where Kind = 'command_line'
union
select Name as Line
from MatchedThings
where Kind = 'command_line'
