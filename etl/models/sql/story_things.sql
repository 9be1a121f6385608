-- What could tie an alert to another: its processes, and what its evidence names.
-- Grain: AlertId, Kind, Thing. Inputs: Lineages (of the day), LakeEvidence (evidence of all days).
-- Kinds: process (the same instance, or an ancestor that is another alert's), file (listed as a file, by any
-- hash; the program of a process is not one), address (public), url (host), account (of a person). System
-- accounts, those of machines and services, and addresses that many networks have say nothing.
-- Label is what may be told of it: of names only letters, digits, points, underscores and dashes.
with Facts as (
    select
        *,
        lower(nullif(AccountSid, '')) as Sid,
        lower(nullif(AccountName, '')) as Account,
        regexp_replace(lower(trim(RemoteIP)), '^::ffff:([0-9.]+)$', '\1') as Address,
        regexp_extract(
            lower(trim(RemoteUrl)), '^(?:[a-z][a-z0-9+.-]*://)?(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)', 1
        ) as Host
    from LakeEvidence
),

Named as (
    select
        AlertId,
        'process' as Kind,
        concat_ws(' ', DeviceId, ProcessId, ProcessCreationTicks) as Thing,
        Depth = 0 as Own,
        FileName as Label
    from Lineages
    union all
    select
        AlertId,
        'file' as Kind,
        unnest([lower(SHA256), lower(SHA1)]) as Thing,
        true as Own,
        coalesce(nullif(FileName, ''), SHA256, SHA1) as Label
    from Facts
    where EntityType = 'File'
    union all
    select
        AlertId,
        'address' as Kind,
        Address as Thing,
        true as Own,
        translate(Address, ':', '-') as Label
    from Facts
    where
        not regexp_matches(
            Address,
            '^(?:0|10|127|22[4-9]|2[345][0-9])\.|^(?:169\.254|192\.168|172\.(?:1[6-9]|2[0-9]|3[01]))\.'
            || '|^100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.|^(?:::1?$|f[cdf]|fe[89ab])'
        )
    union all
    select
        AlertId,
        'url' as Kind,
        Host as Thing,
        true as Own,
        Host as Label
    from Facts
    where Host <> 'localhost'
    union all
    select
        AlertId,
        'account' as Kind,
        coalesce(Sid, concat_ws('\', lower(nullif(AccountDomain, '')), Account)) as Thing,
        true as Own,
        coalesce(Account, Sid) as Label
    from Facts
    where
        coalesce(Sid, Account) is not null
        and (Sid is null or regexp_matches(Sid, '^s-1-(?:5-21|12-1)-'))
        and not regexp_matches(
            coalesce(Account, ''), '\$$|^(?:system|root|local service|network service|localsystem)$'
        )
)

select
    AlertId,
    Kind,
    Thing,
    bool_or(Own) as Own,
    left(regexp_replace(min(Label), '[^\pL\pN._-]', '', 'g'), 64) as Label
from Named
where Thing <> ''
group by AlertId, Kind, Thing
