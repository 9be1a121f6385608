-- The processes of an alert are told in an order without gaps.
select
    AlertId,
    count(*) as Processes,
    count(distinct Position) as Positions,
    min(Position) as FirstPosition,
    max(Position) as LastPosition
from ProcessTree
group by AlertId
having Positions <> Processes or FirstPosition <> 1 or LastPosition <> Processes
