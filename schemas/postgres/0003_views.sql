-- What SQL users and dashboards may rely on: these names and columns stay.

-- Permission sets are shared between accounts; the id of an account stands in them as {account}.
create function rooftree.permissions_of(permissions jsonb, account_id text) returns jsonb
language sql immutable strict parallel safe
return replace(permissions::text, '{account}', account_id)::jsonb;
comment on function rooftree.permissions_of is 'Maximum permissions as those of one account; account ids are digits, so the text stays JSON';

create view rooftree.account_permissions as
select
    a.organization_id,
    a.account_id,
    a.name as account_name,
    a.path,
    a.permissions_id,
    rooftree.permissions_of(p.permissions, a.account_id) as permissions,
    a.revision,
    (a.placed and o.incomplete_since is null) as complete,
    a.since,
    a.cause_event_id
from rooftree.account as a
join rooftree.organization as o using (organization_id)
left join rooftree.permission_set as p using (organization_id, permissions_id);
comment on view rooftree.account_permissions is 'The maximum permissions of each account now';

create view rooftree.account_permissions_history as
select
    h.organization_id,
    h.account_id,
    h.name as account_name,
    h.path,
    h.permissions_id,
    rooftree.permissions_of(p.permissions, h.account_id) as permissions,
    h.revision,
    (h.placed and h.complete) as complete,
    h.valid_from as since,
    h.cause_event_id,
    h.valid_from,
    h.valid_to
from rooftree.account_history as h
left join rooftree.permission_set as p using (organization_id, permissions_id);
comment on view rooftree.account_permissions_history is 'The maximum permissions of each account at any time: valid_from <= time and (valid_to is null or time < valid_to)';

create view rooftree.audit_events as
select
    organization_id,
    revision,
    part,
    parts,
    event_id,
    type,
    account_id,
    data ->> 'account_name' as account_name,
    time,
    recorded_at,
    verdict,
    cause_event_id,
    data
from rooftree.audit_event;
comment on view rooftree.audit_events is 'Every audit event, in the order of organization_id, revision, part';

create view rooftree.action_verdicts as
select
    p.organization_id,
    p.permissions_id,
    k.service,
    k.action,
    coalesce(s.exceptions ->> k.action, s.verdict, p.verdict) as verdict
from rooftree.permission_set as p
cross join rooftree.known_action as k
left join rooftree.permission_set_service as s
    on s.organization_id = p.organization_id and s.permissions_id = p.permissions_id and s.service = k.service;
comment on view rooftree.action_verdicts is 'allowed, conditional or denied for each known action, by permissions_id';
