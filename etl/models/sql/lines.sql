-- The command lines of the lake.
-- Grain: Line. Input: Things.
select distinct Name as Line
from Things
where Kind = 'command_line'
