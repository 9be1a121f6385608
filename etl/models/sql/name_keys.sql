-- Every name by which the lake may show what the day's alerts name: the day's own names, and the lake's
-- command lines of the same shapes.
-- Grain: Name. Inputs: ThingNames, AlertThings, CommandShapes (of the lake's command lines).
-- Names and things go by 64-bit hashes: there may be millions of command lines of one shape.
with Wanted as (
    select distinct hash(Kind, Value) as Thing
    from AlertThings
),

Shaped as (
    select
        hash('command_line', Line) as Name,
        hash('command_line', Shape) as Thing
    from CommandShapes
)

select
    hash(Kind, Name) as Name,
    hash(Kind, Value) as Thing
from ThingNames
union
select
    Name,
    Thing
from Shaped
semi join Wanted using (Thing)
