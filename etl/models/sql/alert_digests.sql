-- What the marts tell of each alert is made of, beside telemetry: a digest of all its rows.
-- Grain: AlertId. Inputs: Alerts, AlertDevices, AlertEvidence, Hunts.
with Told as (
    select
        AlertId,
        to_json(Alerts)::varchar as Line
    from Alerts
    union all
    select
        AlertId,
        to_json(AlertDevices)::varchar as Line
    from AlertDevices
    union all
    select
        AlertId,
        to_json(AlertEvidence)::varchar as Line
    from AlertEvidence
    union all
    select
        AlertId,
        to_json(Hunts)::varchar as Line
    from Hunts
)

select
    AlertId,
    md5(string_agg(Line, chr(10) order by Line)) as Digest
from Told
group by AlertId
