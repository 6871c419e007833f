-- outline_frame --
-- The facts about everything but accounts, and what hangs on accounts apart from FullAWSAccess.
select
    json_agg(json_build_array(kind, subject, attribute, value)) as facts,
    time, sequence, rank, event_id
from rooftree.fact
where
    organization_id = $1
    and (
        kind = any(array['organization', 'ou', 'policy', 'policy_type'])
        or (kind = 'attachment' and (subject > 'a' or attribute <> 'p-FullAWSAccess'))
    )
group by time, sequence, rank, event_id;

-- outline_gatherings --
-- How many accounts stand under which node.
select coalesce(case when placed then path[cardinality(path) - 1] end, '') as node_id,
    count(*) as count, max(since) as changed_at
from rooftree.account
where organization_id = $1
group by 1;

-- outline_accounts_in --
-- Accounts directly under a node, by name and id, from after one; with an empty node those that are not placed.
select account_id, name, status, path, placed, permissions_id, since
from rooftree.account
where
    organization_id = $1
    and coalesce(case when placed then path[cardinality(path) - 1] end, '') = $2
    and (name, account_id) > ($3::text, $4::text)
order by name, account_id
limit $5;

-- outline_find_accounts --
-- Accounts whose name or id contains a text, by name.
select account_id, name, status, path, placed, permissions_id, since
from rooftree.account
where organization_id = $1 and (strpos(lower(name), lower($2)) > 0 or strpos(account_id, $2) > 0)
order by strpos(lower(name), lower($2)) <> 1, name, account_id
limit $3;

-- outline_service_verdicts --
-- How the known actions of each service are decided: counted by service, and action by action only where one of a service
-- is decided unlike the others.
with chosen as (
    select verdict from rooftree.permission_set where organization_id = $1 and permissions_id = $2
), listed as (
    select service, verdict, exceptions
    from rooftree.permission_set_service
    where organization_id = $1 and permissions_id = $2
), excepted as (
    select l.service, e.value as verdict, count(*) as count
    from listed as l
    cross join lateral jsonb_each_text(l.exceptions) as e
    join rooftree.known_action as k on k.service = l.service and k.action = e.key
    group by l.service, e.value
), told as (
    select
        k.service, coalesce(l.verdict, c.verdict) as verdict,
        k.count - coalesce((select sum(e.count) from excepted as e where e.service = k.service), 0) as count
    from (select service, count(*) as count from rooftree.known_action group by service) as k
    cross join chosen as c
    left join listed as l using (service)
    union all
    select service, verdict, count from excepted
)
select
    service,
    coalesce(sum(count) filter (where verdict = 'allowed'), 0)::bigint as allowed,
    coalesce(sum(count) filter (where verdict = 'conditional'), 0)::bigint as conditional,
    coalesce(sum(count) filter (where verdict = 'denied'), 0)::bigint as denied
from told
group by service
order by service;

-- outline_action_verdicts --
-- How each known action of a service is decided.
select action, verdict
from rooftree.action_verdicts
where organization_id = $1 and permissions_id = $2 and service = $3
order by action;

-- outline_audit_revisions --
-- The latest revisions from before one, each with the first of its events: one step of an index for each revision.
with recursive latest as (
    (
        select revision
        from rooftree.audit_event
        where organization_id = $1 and revision < $2::bigint
        order by revision desc
        limit 1
    )
    union all
    select (
        select e.revision
        from rooftree.audit_event as e
        where e.organization_id = $1 and e.revision < l.revision
        order by e.revision desc
        limit 1
    )
    from latest as l
    where l.revision is not null
), chosen as (
    select revision from latest where revision is not null limit $3
)
select e.revision, e.part, e.parts, e.time, e.account_id, e.verdict, e.type, e.event_id, e.data, e.parts::bigint as found
from chosen as c
cross join lateral (
    select a.revision, a.part, a.parts, a.time, a.account_id, a.verdict, a.type, a.event_id, a.data
    from rooftree.audit_event as a
    where a.organization_id = $1 and a.revision = c.revision
    order by a.part
    limit $4
) as e
order by e.revision desc, e.part;

-- outline_find_audit --
-- Those of the latest events before a position that are wanted, of so many revisions; only so many are looked at. What
-- tells which are wanted is looked at row by row and let go: only the events that are shown are carried along.
with looked_at as materialized (
    select
        revision, part, parts,
        ($13::text is null or verdict = $13)
        and ($11::timestamptz is null or time >= $11)
        and ($12::timestamptz is null or time < $12)
        and ($6::text is null or data -> 'path' ? $6)
        and ($8::text is null or strpos(lower(data -> 'cause' ->> 'actor'), lower($8)) > 0)
        and ($7::text is null or data -> 'changes' @> jsonb_build_array(jsonb_build_object(
            'statements', jsonb_build_array(jsonb_build_object('policy_id', $7))
        )))
        and ($9::text is null or data -> 'changes' @> jsonb_build_array(jsonb_build_object('direction', $9)))
        and ($10::text is null or exists (
            select from jsonb_array_elements(data -> 'changes') as c
            cross join lateral jsonb_array_elements_text(c -> 'actions' -> 'any_of') as a (pattern)
            where a.pattern = '*' or lower(split_part(a.pattern, ':', 1)) = lower($10)
        )) as is_wanted
    from (
        -- Two roads, of which one is not taken: as one condition they would read all there is to find an account.
        (
            select revision, part, parts, time, verdict, data
            from rooftree.audit_event
            where $4::text is null and organization_id = $1 and (revision, part) < ($2::bigint, $3::integer)
            order by revision desc, part desc
            limit $5
        )
        union all
        (
            select revision, part, parts, time, verdict, data
            from rooftree.audit_event
            where account_id = $4 and organization_id = $1 and (revision, part) < ($2::bigint, $3::integer)
            order by revision desc, part desc
            limit $5
        )
    ) as latest
), wanted as (
    select
        revision, part, row_number() over (partition by revision order by part) as place,
        count(*) over (partition by revision) as found, dense_rank() over (order by revision desc) as turn
    from looked_at
    where is_wanted
)
select
    e.revision, e.part, e.parts, e.time, e.account_id, e.verdict, e.type, e.event_id, e.data, e.found,
    (select count(*) from looked_at) as looked_at,
    (select min(revision) from looked_at) as oldest_revision,
    (select part from looked_at order by revision, part limit 1) as oldest_part
from (select 1) as always
left join (
    select a.*, w.found
    from wanted as w
    join rooftree.audit_event as a on a.organization_id = $1 and a.revision = w.revision and a.part = w.part
    where w.place <= $14 and ($15::bigint is null or w.turn <= $15)
) as e on true
order by e.revision desc, e.part;

-- outline_policy_versions --
-- The documents of a policy that some chain holds, and since when some account had one: one step of an index for each
-- chain.
with held as (
    select distinct c.chain_id, p.policy ->> 'digest' as digest
    from rooftree.chain as c
    cross join lateral (
        -- Levels are a list, or two by the type of their policies.
        select jsonb_path_query(c.levels, '$[*].policies[*] ? (@.policy_id == $id)', jsonb_build_object('id', $2::text))
        union all
        select jsonb_path_query(c.levels, '$.*.policies[*] ? (@.policy_id == $id)', jsonb_build_object('id', $2::text))
    ) as p (policy)
    where c.organization_id = $1
), told as (
    select held.digest, min(first.valid_from) as since
    from held
    left join lateral (
        select h.valid_from
        from rooftree.account_history as h
        where h.organization_id = $1 and h.chain_id = held.chain_id
        order by h.valid_from
        limit 1
    ) as first on true
    group by held.digest
)
select d.digest, d.content, told.since
from told
join rooftree.policy_document as d on d.organization_id = $1 and d.digest = told.digest
order by told.since desc nulls last;

-- outline_delivery --
-- How far changes have come on their way.
select
    o.updated_at as written_at, o.version as writes,
    (select count(*) from rooftree.outbox as b where b.organization_id = $1 and b.position >= w.position) as unsent,
    w.created_at as unsent_since
from rooftree.organization as o
left join rooftree.outbox_waiting as w using (organization_id)
where o.organization_id = $1;

-- outline_positions --
-- Where reading goes on, for every partition of every log: of each topic the log that was read last is read still.
select
    topic, partition_id as partition, next_offset, updated_at, log_id,
    log_id = first_value(log_id) over (partition by consumer_group, topic order by updated_at desc) as current
from rooftree.consumer_offset
order by current desc, updated_at desc
limit 100;
