-- Registry keys as evidence and telemetry spell them, and what they mean: a hive, where told, and a path.
-- Grain: RegistryKey. Inputs: Leads, PivotEvents.
-- Hunting names the user after HKEY_CURRENT_USER; a numbered control set stands for the current one.
with Spelled as (
    select RegistryKey
    from Leads
    where RegistryKey is not null
    union
    select RegistryKey
    from PivotEvents
    where RegistryKey is not null
),

Parted as (
    select
        RegistryKey,
        regexp_extract(
            lower(RegistryKey),
            '(?s)^\\*(?:(hkey_[a-z_]+|hklm|hkcu|hku|hkcr|hkcc)(?:\\+|$))?(.*?)\\*$',
            ['Hive', 'Path']
        ) as Part
    from Spelled
)

select
    RegistryKey,
    case
        when Part.Hive in ('hkey_current_user', 'hkcu', 'hkey_users', 'hku') then 'user'
        when Part.Hive in ('hkey_local_machine', 'hklm') then 'machine'
        when Part.Hive in ('hkey_classes_root', 'hkcr') then 'classes'
        else nullif(Part.Hive, '')
    end as Hive,
    regexp_replace(
        regexp_replace(Part.Path, '^(?:\.default|s-1-[0-9-]+(?:_classes)?)(?:\\|$)', ''),
        '^(system\\)?controlset[0-9]{3}(\\|$)',
        '\1currentcontrolset\2'
    ) as Path
from Parted
