-- load_principal_facts --
-- Everything that is known about the principals of an organization.
select account_id, subject, attribute, value, time, sequence, rank, event_id
from rooftree.principal_fact
where organization_id = $1

-- load_principal_documents --
-- The documents that these facts name, and some that none names any more.
select digest, content
from rooftree.principal_document
where organization_id = $1

-- load_reported_principals --
-- What was reported last of principals of which something is missing by now.
select account_id, kind, name, reported
from rooftree.principal
where organization_id = $1 and reported is not null

-- save_principal_facts --
-- Insert or overwrite registers; the winner was found in memory, under the version of the organization.
insert into rooftree.principal_fact (
    organization_id, account_id, subject, attribute, value, time, sequence, rank, event_id
)
select $1, f.account_id, f.subject, f.attribute, f.value::jsonb, f.time, f.sequence, f.rank, f.event_id
from unnest(
    $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::smallint[], $9::text[]
) as f (account_id, subject, attribute, value, time, sequence, rank, event_id)
on conflict (organization_id, account_id, subject, attribute) do update
set
    value = excluded.value, time = excluded.time, sequence = excluded.sequence, rank = excluded.rank,
    event_id = excluded.event_id

-- forget_principal_facts --
-- Delete registers that a later snapshot has made void.
delete from rooftree.principal_fact as p
using unnest($2::text[], $3::text[], $4::text[]) as f (account_id, subject, attribute)
where
    p.organization_id = $1 and p.account_id = f.account_id and p.subject = f.subject and p.attribute = f.attribute

-- save_principal_documents --
-- Insert documents of principals unless there.
insert into rooftree.principal_document (organization_id, digest, content)
select $1, d.digest, d.content
from unnest($2::text[], $3::text[]) as d (digest, content)
on conflict do nothing

-- save_principals --
-- Insert or overwrite rows of principals; groups and what is missing come as JSON, since arrays of arrays are flattened.
insert into rooftree.principal (
    organization_id, account_id, kind, name, arn, unique_id, groups, policies, boundary, trust_digest, tags, missing,
    reported, since, cause_event_id
)
select
    $1, p.account_id, p.kind, p.name, p.arn, p.unique_id,
    array(select jsonb_array_elements_text(p.groups::jsonb)), p.policies::jsonb, p.boundary::jsonb, p.trust_digest,
    p.tags::jsonb, array(select jsonb_array_elements_text(p.missing::jsonb)), p.reported::jsonb, p.since,
    p.cause_event_id
from unnest(
    $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::text[], $12::text[], $13::text[], $14::timestamptz[], $15::text[]
) as p (
    account_id, kind, name, arn, unique_id, groups, policies, boundary, trust_digest, tags, missing, reported, since,
    cause_event_id
)
on conflict (organization_id, account_id, kind, name) do update
set
    arn = excluded.arn, unique_id = excluded.unique_id, groups = excluded.groups, policies = excluded.policies,
    boundary = excluded.boundary, trust_digest = excluded.trust_digest, tags = excluded.tags,
    missing = excluded.missing, reported = excluded.reported, since = excluded.since, cause_event_id = excluded.cause_event_id

-- remove_principals --
-- Delete rows of principals that are gone.
delete from rooftree.principal as p
using unnest($2::text[], $3::text[], $4::text[]) as g (account_id, kind, name)
where p.organization_id = $1 and p.account_id = g.account_id and p.kind = g.kind and p.name = g.name

-- read_principal_facts --
-- Everything that is known about the principals of some accounts.
select account_id, subject, attribute, value, time, sequence, rank, event_id
from rooftree.principal_fact
where organization_id = $1 and account_id = any($2::text[])

-- read_principal_counts --
-- How many users and roles are known of each of some accounts.
select account_id, count(*) as count
from rooftree.principal
where organization_id = $1 and account_id = any($2::text[]) and kind <> 'group'
group by account_id

-- read_principal_documents --
-- Documents of principals by their digests.
select digest, content
from rooftree.principal_document
where organization_id = $1 and digest = any($2::text[])
