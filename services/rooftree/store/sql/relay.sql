-- pending_organizations --
-- The organizations that have rows to send.
select organization_id from rooftree.outbox_waiting order by organization_id

-- try_lock_outbox --
-- Be the only relay at an organization until the end of the transaction, or learn that another one is.
select pg_try_advisory_xact_lock(hashtextextended('rooftree.outbox:' || $1::text, 0))

-- sent_position --
-- Up to where the broker has all records of an organization.
select coalesce((select position from rooftree.outbox_sent where organization_id = $1), 0)

-- claim_rows --
-- The oldest rows of an organization, behind a position, that are not sent.
select
    position, id, aggregatetype, aggregateid, type, payload, revision, headers ->> 'traceparent' as traceparent,
    (headers ->> 'received_at')::timestamptz as received_at
from rooftree.outbox
where organization_id = $1 and sent_at is null and position > $2
order by position
limit $3

-- mark_sent --
-- Remember that the broker has all rows up to a position: within an organization they are committed in its order.
insert into rooftree.outbox_sent as s (organization_id, position) values ($1, $2)
on conflict (organization_id) do update set position = greatest(s.position, excluded.position), sent_at = now()

-- claim_letters --
-- Dead letters that are not sent; another relay takes others.
select
    organization_id, letter_id, log_id, topic, partition_id, record_offset, record_time, key, value, header_names, header_values,
    reason, place, disposition, error_class, software_version
from rooftree.dead_letter
where sent_at is null
order by letter_id
limit $1
for update skip locked

-- mark_letters_sent --
-- Remember that the broker has these dead letters.
update rooftree.dead_letter as d
set sent_at = now()
from unnest($1::text[], $2::bigint[]) as s (organization_id, letter_id)
where d.organization_id = s.organization_id and d.letter_id = s.letter_id

-- unfilled_organizations --
-- The organizations whose states the topic does not have, or not as they are.
select o.organization_id
from rooftree.organization as o
where
    not exists (
        select from rooftree.filled_topic as f
        where
            f.organization_id = o.organization_id
            and f.log_id in ($1, split_part($1, '/', 1))
            and f.topic = $2
    )
order by o.organization_id

-- adopt_filled --
-- The projector knows the cluster of the topic alone: what it wrote down is completed by the id of the topic.
update rooftree.filled_topic set log_id = $1 where topic = $2 and log_id = split_part($1, '/', 1) and log_id <> $1

-- mark_filled --
-- Remember that the topic is given the states of an organization; no row comes back if another relay was faster.
insert into rooftree.filled_topic (organization_id, log_id, topic) values ($1, $2, $3)
on conflict do nothing
returning organization_id

-- mark_unfilled --
-- Have all states of an organization sent again.
delete from rooftree.filled_topic where organization_id = $1

-- load_permission_sets --
-- The permission sets that accounts of an organization have.
select permissions_id, permissions
from rooftree.permission_set
where
    organization_id = $1
    and permissions_id in (select permissions_id from rooftree.account where organization_id = $1)

-- all_organizations --
-- Every organization.
select organization_id from rooftree.organization order by organization_id

-- trim_outbox --
-- Remove the oldest rows of an organization as far as they were sent and are old enough, some at a time.
delete from rooftree.outbox
where
    organization_id = $1
    and position = any(array(
        select position from rooftree.outbox where organization_id = $1 order by position limit $3
    ))
    and created_at < now() - make_interval(secs => $2)
    and (
        sent_at is not null
        or position <= (select s.position from rooftree.outbox_sent as s where s.organization_id = $1)
    )

-- oldest_unsent --
-- The age in seconds of the oldest row to send, dead letters included.
select coalesce(extract(epoch from now() - least(
    (select min(created_at) from rooftree.outbox_waiting),
    (select min(recorded_at) from rooftree.dead_letter where sent_at is null)
)), 0)::double precision
