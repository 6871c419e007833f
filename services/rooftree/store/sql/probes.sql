-- load_probes --
-- The probes of an organization, with the decisions that consumers were told of last.
select name, account_id, request, decision, as_expected, reasons, since, cause_event_id
from rooftree.probe
where organization_id = $1
order by name

-- save_probes --
-- Insert or overwrite probes.
insert into rooftree.probe (
    organization_id, name, account_id, request, expect, decision, as_expected, reasons, since, cause_event_id
)
select
    $1, p.name, p.account_id, p.request::jsonb, p.request::jsonb ->> 'expect', p.decision, p.as_expected,
    p.reasons::jsonb, p.since, p.cause_event_id
from unnest(
    $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::timestamptz[], $9::text[]
) as p (name, account_id, request, decision, as_expected, reasons, since, cause_event_id)
on conflict (organization_id, name) do update
set
    account_id = excluded.account_id, request = excluded.request, expect = excluded.expect,
    decision = excluded.decision, as_expected = excluded.as_expected, reasons = excluded.reasons,
    since = excluded.since, cause_event_id = excluded.cause_event_id

-- remove_probes --
-- Delete probes.
delete from rooftree.probe where organization_id = $1 and name = any($2::text[])

-- count_probes --
-- How many probes of all organizations are as expected, are not, and are not known.
select
    count(*) filter (where as_expected) as as_expected,
    count(*) filter (where not as_expected) as not_as_expected,
    count(*) filter (where as_expected is null) as unknown
from rooftree.probe
