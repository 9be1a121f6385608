-- What is seen by its process key is corroborated; what nothing shows is neither that nor partly so.
select
    AlertId,
    Verdict,
    Matched,
    Pivoted,
    Ambiguous
from AlertValidation
where
    (Matched > 0 and Verdict <> 'corroborated')
    or (Matched + Pivoted = 0 and Verdict = 'corroborated')
    or (Matched + Pivoted + Ambiguous = 0 and Verdict = 'partly_corroborated')
