-- Logons of the account that a lead names: by SID where both sides know one, else by name.
-- Grain: AlertId, EvidenceId, EventTable, FileNumber, RowNumber. Inputs: Leads, PivotEvents.
-- Domains must agree where both sides name one.
with Accounts as (select * from Leads where Kind = 'account'),

Logons as (select * from PivotEvents where EventTable = 'DeviceLogonEvents'),

Hits as (
    select
        Accounts.AlertId,
        Accounts.EvidenceId,
        Accounts.Devices,
        Logons.EventTable,
        Logons.FileNumber,
        Logons.RowNumber,
        Logons.DeviceId,
        Logons.TimestampTicks
    from Accounts
    inner join Logons on lower(Accounts.AccountSid) = lower(Logons.AccountSid)
    union all
    select
        Accounts.AlertId,
        Accounts.EvidenceId,
        Accounts.Devices,
        Logons.EventTable,
        Logons.FileNumber,
        Logons.RowNumber,
        Logons.DeviceId,
        Logons.TimestampTicks
    from Accounts
    inner join Logons
        on
            lower(Accounts.AccountName) = lower(Logons.AccountName)
            and (Accounts.AccountSid is null or Logons.AccountSid is null)
            and coalesce(lower(Accounts.AccountDomain) = lower(Logons.AccountDomain), true)
)

select
    AlertId,
    EvidenceId,
    EventTable,
    FileNumber,
    RowNumber,
    DeviceId,
    TimestampTicks,
    'subject' as MatchRole,
    false as Told,
    'account' as PivotKind
from Hits
where len(Devices) = 0 or list_contains(Devices, DeviceId)
