-- inspect_history --
-- Every row of the history of an organization.
select
    valid_to, account_id, name, email, status, parent_id, path, placed, chain_id, permissions_id,
    null::text as reported_chain_id, revision, valid_from as since, cause_event_id
from rooftree.account_history
where organization_id = $1
order by account_id, valid_from

-- inspect_chains --
-- Every chain of an organization.
select chain_id, levels from rooftree.chain where organization_id = $1

-- inspect_documents --
-- Every policy document of an organization.
select digest, content from rooftree.policy_document where organization_id = $1

-- inspect_permission_sets --
-- Every permission set of an organization.
select permissions_id, permissions, verdict from rooftree.permission_set where organization_id = $1

-- inspect_permission_set_services --
-- The services of every permission set that differ from its verdict.
select permissions_id, service, verdict, exceptions from rooftree.permission_set_service where organization_id = $1

-- inspect_removals --
-- The changes after which an account may be gone, and when each was taken in.
select time, recorded_at, record_offset
from rooftree.seen_event
where
    organization_id = $1
    and type = any(array['rooftree.account.removed.v1', 'rooftree.organization.snapshot.v1'])

-- inspect_seen_at --
-- Of some moments, which change of that time was taken in first.
select distinct on (time) time, recorded_at, record_offset
from rooftree.seen_event
where organization_id = $1 and time = any($2::timestamptz[])
order by time, recorded_at, record_offset

-- inspect_sources --
-- Where the changes of some ids came from.
select distinct source, event_id
from rooftree.seen_event
where organization_id = $1 and event_id = any($2::text[])

-- inspect_topics --
-- The topics from which records were read.
select topic from rooftree.consumer_offset union select topic from rooftree.dead_letter

-- inspect_audit --
-- Audit events from after a position, in their order.
select
    organization_id, revision, part, parts, event_id, type, account_id, time, verdict, cause_event_id, data
from rooftree.audit_event
where organization_id = $1 and (revision, part) > ($2::bigint, $3::integer)
order by revision, part
limit $4
