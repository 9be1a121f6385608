-- Of several instances that a process may be, the one that the facts tell.
-- Grain: Question, where there is an answer. Input: a relation by name, with Question, Instance, Agree
-- and Deny. It is the one that agrees wherever another one contradicts, and contradicts nowhere another
-- one agrees; a single one is told by nothing. DecidedBy has the facts.
with Compared as (
    select
        One.Question,
        One.Instance,
        list_intersect(One.Agree, Other.Deny) as Facts,
        len(Facts) > 0 and not list_has_any(One.Deny, Other.Agree) as Wins
    from query_table(Choices) as One
    inner join query_table(Choices) as Other using (Question)
    where One.Instance <> Other.Instance
),

Judged as (
    select
        Question,
        Instance,
        bool_and(Wins) as Wins,
        list_sort(list_distinct(flatten(list(Facts)))) as Facts
    from Compared
    group by Question, Instance
)

select
    Choice.Question,
    Choice.Instance,
    coalesce(Judged.Facts, []) as DecidedBy
from query_table(Choices) as Choice
left join Judged using (Question, Instance)
where coalesce(Judged.Wins, true)
