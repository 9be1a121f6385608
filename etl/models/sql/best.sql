-- The candidates of the best kind: decisive, then equal when cut, then the nearest in tolerance.
-- Grain: AlertId, EvidenceId, Instance. Input: Candidates.
select
    { 'AlertId': AlertId, 'EvidenceId': EvidenceId } as Question,
    *
from Candidates
qualify rank() over (
    partition by AlertId, EvidenceId order by Kind, case when Kind = 3 then Distance else 0 end
) = 1
