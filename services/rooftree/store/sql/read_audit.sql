-- read_audit_before --
-- Audit events from before a position, the latest first.
select organization_id, revision, part, parts, event_id, type, account_id, time, verdict, data
from rooftree.audit_event
where organization_id = $1 and (revision, part) < ($2::bigint, $3::integer)
order by revision desc, part desc
limit $4;

-- read_account_audit_before --
-- Audit events of one account from before a position, the latest first.
select organization_id, revision, part, parts, event_id, type, account_id, time, verdict, data
from rooftree.audit_event
where organization_id = $1 and account_id = $5 and (revision, part) < ($2::bigint, $3::integer)
order by revision desc, part desc
limit $4;

-- read_audit_after --
-- Audit events from after a position, in their order.
select organization_id, revision, part, parts, event_id, type, account_id, time, verdict, data
from rooftree.audit_event
where organization_id = $1 and (revision, part) > ($2::bigint, $3::integer)
order by revision, part
limit $4;

-- read_account_audit_after --
-- Audit events of one account from after a position, in their order.
select organization_id, revision, part, parts, event_id, type, account_id, time, verdict, data
from rooftree.audit_event
where organization_id = $1 and account_id = $5 and (revision, part) > ($2::bigint, $3::integer)
order by revision, part
limit $4;

-- read_audit_event --
-- One audit event by its id.
select organization_id, revision, part, parts, event_id, type, account_id, time, verdict, data
from rooftree.audit_event
where organization_id = $1 and event_id = $2;

-- read_seen_count --
-- How many of some events of one source were processed.
select count(*)
from rooftree.seen_event
where organization_id = $1 and source = $2 and event_id = any($3::text[]);
