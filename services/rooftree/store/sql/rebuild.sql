-- drop_accounts --
-- Remove the rows of the view of an organization.
delete from rooftree.account where organization_id = $1

-- drop_permission_sets --
-- Remove permission sets that are computed anew, and those that nothing refers to.
delete from rooftree.permission_set as p
where
    p.organization_id = $1
    and (
        p.permissions_id = any($2::text[])
        or not exists (
            select from rooftree.account_history as h
            where h.organization_id = $1 and h.permissions_id = p.permissions_id
        )
    )

-- drop_documents --
-- Remove policy documents that are not what their digest says.
delete from rooftree.policy_document
where organization_id = $1 and encode(sha256(convert_to(content, 'UTF8')), 'hex') <> digest

-- changes_of_other_logs --
-- How many changes and dead letters came from elsewhere than from what this topic of this broker still has; before it
-- told the id of the topic they were stored by the cluster alone.
select
    (
        select count(*) from rooftree.seen_event as s
        where not exists (
            select from unnest($3::integer[], $4::bigint[]) as b (partition_id, beginning)
            where
                s.log_id = any(array[$1, split_part($1, '/', 1)]) and s.topic = $2
                and s.partition_id = b.partition_id and s.record_offset >= b.beginning
        )
    )
    + (
        select count(*) from rooftree.dead_letter as d
        where not exists (
            select from unnest($3::integer[], $4::bigint[]) as b (partition_id, beginning)
            where
                d.log_id = any(array[$1, split_part($1, '/', 1)]) and d.topic = $2
                and d.partition_id = b.partition_id and d.record_offset >= b.beginning
        )
    )

-- rewind_offsets --
-- Have a topic read from its beginning again; returns how far it had been read.
with before as (
    select partition_id, next_offset
    from rooftree.consumer_offset
    where consumer_group = $1 and log_id = $2 and topic = $3
    for update
),
rewound as (
    update rooftree.consumer_offset as o
    set next_offset = b.beginning, updated_at = now()
    from unnest($4::integer[], $5::bigint[]) as b (partition_id, beginning)
    where o.consumer_group = $1 and o.log_id = $2 and o.topic = $3 and o.partition_id = b.partition_id
)
select partition_id, next_offset from before

-- empty_the_view --
-- Forget everything that was read.
truncate
    rooftree.organization, rooftree.fact, rooftree.account, rooftree.account_history, rooftree.chain,
    rooftree.policy_document, rooftree.permission_set, rooftree.permission_set_service, rooftree.seen_event,
    rooftree.principal_fact, rooftree.principal_document, rooftree.principal, rooftree.probe, rooftree.reread,
    rooftree.audit_event, rooftree.outbox, rooftree.outbox_sent, rooftree.dead_letter, rooftree.filled_topic
