-- stored_offsets --
-- Where to read each partition of a topic on.
select partition_id, next_offset
from rooftree.consumer_offset
where consumer_group = $1 and log_id = $2 and topic = $3

-- adopt_offsets --
-- What was read of this cluster before it told the id of the topic.
update rooftree.consumer_offset as o
set log_id = $2
where
    o.consumer_group = $1
    and o.topic = $3
    and o.log_id = split_part($2, '/', 1)
    and not exists (
        select from rooftree.consumer_offset as known
        where
            known.consumer_group = $1
            and known.log_id = $2
            and known.topic = $3
            and known.partition_id = o.partition_id
    )

-- other_logs --
-- Which partitions of this topic were read from another log before, and from which last.
select distinct on (partition_id) partition_id, log_id
from rooftree.consumer_offset
where consumer_group = $1 and topic = $3 and log_id <> $2
order by partition_id, updated_at desc

-- note_loss --
-- Remember that a partition cannot be read on, since when and why.
insert into rooftree.log_loss (consumer_group, topic, partition_id, log_id, reason) values ($1, $2, $3, $4, $5)
on conflict (consumer_group, topic, partition_id) do update set log_id = excluded.log_id, reason = excluded.reason

-- clear_losses --
-- Remember that partitions are read on.
delete from rooftree.log_loss where consumer_group = $1 and topic = $2 and partition_id = any($3::integer[])

-- move_offset --
-- Move the offset on from where the batch starts; no row comes back if it is not there, since another worker moved it.
insert into rooftree.consumer_offset as o (consumer_group, log_id, topic, partition_id, next_offset)
values ($1, $2, $3, $4, $6)
on conflict (consumer_group, log_id, topic, partition_id) do update
set next_offset = excluded.next_offset, updated_at = now()
where o.next_offset = $5
returning next_offset

-- organizations_of_partition --
-- The organizations whose changes came by a partition.
select distinct organization_id
from rooftree.seen_event
where topic = $1 and partition_id = $2
order by organization_id

-- seen_among --
-- Which of these events the view holds.
select s.organization_id, s.source, s.event_id
from unnest($1::text[], $2::text[], $3::text[]) as e (organization_id, source, event_id)
join rooftree.seen_event as s using (organization_id, source, event_id)

-- load_organization --
-- Where the view of an organization stands.
select
    revision, version, chain_hash, incomplete_since, incomplete_until, incomplete_reason, incomplete_by_loss
from rooftree.organization
where organization_id = $1

-- load_facts --
-- Everything that is known about an organization, by version: one of many facts, as of a snapshot, is sent once.
select
    json_agg(json_build_array(kind, subject, attribute, value)) as facts,
    time, sequence, rank, event_id
from rooftree.fact
where organization_id = $1
group by time, sequence, rank, event_id

-- load_accounts --
-- The rows of the view of an organization.
select
    account_id, name, email, status, parent_id, path, placed, chain_id, permissions_id, reported_chain_id, revision,
    since, cause_event_id
from rooftree.account
where organization_id = $1
order by account_id

-- load_chains --
-- The chains that consumers were told of last.
select chain_id, levels
from rooftree.chain
where
    organization_id = $1
    and chain_id in (select reported_chain_id from rooftree.account where organization_id = $1)

-- load_documents --
-- The policies in these chains.
select digest, content
from rooftree.policy_document
where
    organization_id = $1
    and digest in (
        select named #>> '{}'
        from rooftree.chain as c
        cross join jsonb_path_query(c.levels, 'strict $.**.digest') as named
        where
            c.organization_id = $1
            and c.chain_id in (select reported_chain_id from rooftree.account where organization_id = $1)
    )

-- make_organization --
-- Have a row to lock for an organization that is new.
insert into rooftree.organization (organization_id, chain_hash) values ($1, $2) on conflict do nothing

-- lock_organization --
-- Keep other writers of this organization out until the end of the transaction.
select version, incomplete_since is null as complete
from rooftree.organization
where organization_id = $1
for update

-- save_organization --
-- Move an organization to where the view stands now.
update rooftree.organization
set
    revision = $2, version = version + 1, chain_hash = $3,
    incomplete_since = $4, incomplete_until = $5, incomplete_reason = $6, incomplete_by_loss = $7, updated_at = now()
where organization_id = $1

-- save_facts --
-- Insert or overwrite registers; the winner was found in memory, under the version of the organization.
insert into rooftree.fact (organization_id, kind, subject, attribute, value, time, sequence, rank, event_id)
select $1, f.kind, f.subject, f.attribute, f.value::jsonb, f.time, f.sequence, f.rank, f.event_id
from unnest(
    $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::smallint[], $9::text[]
) as f (kind, subject, attribute, value, time, sequence, rank, event_id)
on conflict (organization_id, kind, subject, attribute) do update
set
    value = excluded.value, time = excluded.time, sequence = excluded.sequence, rank = excluded.rank,
    event_id = excluded.event_id

-- update_accounts --
-- Overwrite rows of the view, as far as they are there; a path comes as one text, since arrays of arrays are flattened.
update rooftree.account as t
set
    name = a.name, email = a.email, status = a.status, parent_id = a.parent_id, path = string_to_array(a.path, '/'),
    placed = a.placed, chain_id = a.chain_id, permissions_id = a.permissions_id,
    reported_chain_id = a.reported_chain_id, revision = a.revision, since = a.since, cause_event_id = a.cause_event_id
from unnest(
    $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::text[], $10::text[],
    $11::text[], $12::bigint[], $13::timestamptz[], $14::text[]
) as a (
    account_id, name, email, status, parent_id, path, placed, chain_id, permissions_id, reported_chain_id, revision,
    since, cause_event_id
)
where t.organization_id = $1 and t.account_id = a.account_id

-- insert_accounts --
-- Insert those of the same rows that were not there.
insert into rooftree.account (
    organization_id, account_id, name, email, status, parent_id, path, placed, chain_id, permissions_id,
    reported_chain_id, revision, since, cause_event_id
)
select
    $1, a.account_id, a.name, a.email, a.status, a.parent_id, string_to_array(a.path, '/'), a.placed, a.chain_id,
    a.permissions_id, a.reported_chain_id, a.revision, a.since, a.cause_event_id
from unnest(
    $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::text[], $10::text[],
    $11::text[], $12::bigint[], $13::timestamptz[], $14::text[]
) as a (
    account_id, name, email, status, parent_id, path, placed, chain_id, permissions_id, reported_chain_id, revision,
    since, cause_event_id
)
on conflict (organization_id, account_id) do nothing

-- remove_accounts --
-- Delete the rows of accounts that left.
delete from rooftree.account where organization_id = $1 and account_id = any($2::text[])

-- last_history --
-- The latest row of the history of each of these accounts.
select a.account_id, h.valid_from, h.valid_to
from unnest($2::text[]) as a (account_id)
cross join lateral (
    select valid_from, valid_to
    from rooftree.account_history
    where organization_id = $1 and account_id = a.account_id
    order by valid_from desc
    limit 1
) as h

-- replace_history --
-- Remove open rows that never held for any time, by their accounts and starts.
delete from rooftree.account_history as h
using unnest($2::text[], $3::timestamptz[]) as r (account_id, valid_from)
where h.organization_id = $1 and h.account_id = r.account_id and h.valid_from = r.valid_from

-- close_history --
-- End open rows, by their accounts and starts.
update rooftree.account_history as h
set valid_to = c.valid_to
from unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) as c (account_id, valid_from, valid_to)
where h.organization_id = $1 and h.account_id = c.account_id and h.valid_from = c.valid_from

-- begin_history --
-- Start rows of the history from rows of the view as they were just written, for accounts that have changed once.
insert into rooftree.account_history (
    organization_id, account_id, valid_from, valid_to, name, email, status, parent_id, path, placed, chain_id,
    permissions_id, revision, complete, cause_event_id
)
select
    organization_id, account_id, since, null, name, email, status, parent_id, path, placed, chain_id, permissions_id,
    revision, $3, cause_event_id
from rooftree.account
where organization_id = $1 and account_id = any($2::text[])

-- insert_account_history --
-- Insert a row of the history that has ended.
insert into rooftree.account_history (
    organization_id, account_id, valid_from, valid_to, name, email, status, parent_id, path, placed, chain_id,
    permissions_id, revision, complete, cause_event_id
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)

-- insert_audit_event --
-- Insert an audit event.
insert into rooftree.audit_event (
    organization_id, revision, part, parts, event_id, type, account_id, time, verdict, cause_event_id, data, traceparent
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- insert_outbox --
-- Insert what is to be sent.
insert into rooftree.outbox (organization_id, id, aggregatetype, aggregateid, type, payload, revision, headers)
values ($1, $2, $3, $4, $5, $6, $7, $8)

-- insert_seen_event --
-- Insert a change that the view holds now.
insert into rooftree.seen_event (
    organization_id, source, event_id, type, time, revision, log_id, topic, partition_id, record_offset, record_time
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- save_chains --
-- Insert chains, or overwrite those in which a policy has got another name.
insert into rooftree.chain as c (organization_id, chain_id, levels)
select $1, n.chain_id, n.levels::jsonb
from unnest($2::text[], $3::text[]) as n (chain_id, levels)
on conflict (organization_id, chain_id) do update
set levels = excluded.levels
where c.levels is distinct from excluded.levels

-- save_documents --
-- Insert policy documents unless there.
insert into rooftree.policy_document (organization_id, digest, content)
select $1, d.digest, d.content
from unnest($2::text[], $3::text[]) as d (digest, content)
on conflict do nothing

-- save_permission_set --
-- Insert a permission set; no row comes back if it is there.
insert into rooftree.permission_set (organization_id, permissions_id, permissions, verdict)
values ($1, $2, $3, $4)
on conflict do nothing
returning permissions_id

-- save_permission_set_services --
-- Insert the services of a permission set that differ from its verdict.
insert into rooftree.permission_set_service (organization_id, permissions_id, service, verdict, exceptions)
select $1, $2, s.service, s.verdict, s.exceptions::jsonb
from unnest($3::text[], $4::text[], $5::text[]) as s (service, verdict, exceptions)

-- save_known_actions --
-- Insert actions that are known unless there, in one order everywhere so that two who do it never wait for each other.
insert into rooftree.known_action (service, action)
select k.service, k.action
from unnest($1::text[], $2::text[]) as k (service, action)
order by k.service, k.action
on conflict do nothing

-- nudge_relays --
-- Tell relays that listen that there is something to send; once a batch, since it takes a lock of the whole database.
select pg_notify('rooftree_outbox', '')

-- count_open_letters --
-- How many dead letters of an organization wait.
select count(*) from rooftree.dead_letter where organization_id = $1 and resolved_at is null

-- replayed_letters --
-- Which of these letters, by their position from 1, wait with a value of just this digest.
select r.position
from unnest($2::text[], $3::text[], $4::integer[], $5::bigint[], $6::bytea[])
    with ordinality as r (log_id, topic, partition_id, record_offset, digest, position)
join rooftree.dead_letter as d using (log_id, topic, partition_id, record_offset)
where d.organization_id = $1 and d.resolved_at is null and sha256(coalesce(d.value, '')) = r.digest

-- supersede_letters --
-- Resolve all letters of an organization that are stored: a snapshot said what they could have said.
update rooftree.dead_letter
set resolved_at = now(), resolution = 'snapshot'
where organization_id = $1 and resolved_at is null

-- resolve_letters --
-- Resolve letters that were processed.
update rooftree.dead_letter as d
set resolved_at = now(), resolution = 'replayed', attempts = d.attempts + 1, attempted_at = now()
from unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::bigint[])
    as r (organization_id, log_id, topic, partition_id, record_offset)
where
    d.organization_id = r.organization_id and d.log_id = r.log_id and d.topic = r.topic
    and d.partition_id = r.partition_id and d.record_offset = r.record_offset and d.resolved_at is null

-- letter_failed_again --
-- Remember that a letter could not be processed this time either, and why.
update rooftree.dead_letter
set
    attempts = attempts + 1, attempted_at = now(),
    reason = $6, place = $7, disposition = $8, error_class = $9, software_version = $10
where
    organization_id = $1 and log_id = $2 and topic = $3 and partition_id = $4 and record_offset = $5
    and resolved_at is null

-- memberships --
-- The organizations that accounts belong to, or have belonged to.
select f.organization_id, f.subject as account_id, bool_or(a.account_id is not null) as present
from rooftree.fact as f
left join rooftree.account as a on a.organization_id = f.organization_id and a.account_id = f.subject
where f.kind = 'account' and f.attribute in ('present', 'observed') and f.subject = any($1::text[])
group by f.organization_id, f.subject
order by f.organization_id, f.subject
