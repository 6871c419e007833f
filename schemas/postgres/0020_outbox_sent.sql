-- How far the outbox of each organization was sent is one row, where a mark on each record wrote all of them once more.

create table rooftree.outbox_sent (
    organization_id text primary key,
    position bigint not null,
    sent_at timestamptz not null default now()
);
comment on table rooftree.outbox_sent is 'The record of each organization''s outbox up to which the broker has all';
comment on column rooftree.outbox.sent_at is 'When the broker had it, as far as a relay said so that did not keep outbox_sent';

create view rooftree.outbox_waiting with (security_invoker = true) as
select organization_id, first.position, first.created_at
from rooftree.organization
left join rooftree.outbox_sent as s using (organization_id)
cross join lateral (
    select o.position, o.created_at
    from rooftree.outbox as o
    where o.organization_id = organization.organization_id and o.position > coalesce(s.position, 0) and o.sent_at is null
    order by o.position
    limit 1
) as first;
comment on view rooftree.outbox_waiting is 'The first record of each organization that is not sent; where there is none, there is no row';

call rooftree.open_to_readers('rooftree.outbox_sent');
call rooftree.open_to_worker('rooftree_relay', 'select, insert, update', 'rooftree.outbox_sent');
call rooftree.open_to_worker('rooftree_projector', 'select', 'rooftree.outbox_sent');
-- Whoever may see the outbox may see what of it waits.
grant select on rooftree.outbox_waiting to rooftree_relay, rooftree_projector, rooftree_api, rooftree_reader;
