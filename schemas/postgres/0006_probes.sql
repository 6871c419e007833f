-- Decisions that an admin asked the service to watch.

create table rooftree.probe (
    organization_id text not null,
    name text not null,
    account_id text,
    request jsonb not null,
    expect text not null check (expect in ('allow', 'deny')),
    decision text not null check (decision in ('allow', 'implicit_deny', 'explicit_deny', 'unknown')),
    as_expected boolean,
    reasons jsonb not null,
    since timestamptz not null,
    cause_event_id text not null,
    primary key (organization_id, name)
);
comment on table rooftree.probe is 'One row a probe: a named request with the decision that is expected of it, and the one that holds';
comment on column rooftree.probe.account_id is 'The account that flips are told of';
comment on column rooftree.probe.request is 'principal, action, resource, context and expect, as the event had them';
comment on column rooftree.probe.as_expected is 'Null while the decision is not known';
comment on column rooftree.probe.reasons is 'blocked_by, decided_by and missing, as in the audit event of a flip';

create view rooftree.probes as
select organization_id, name, account_id, request, expect, decision, as_expected, reasons, since, cause_event_id
from rooftree.probe;
comment on view rooftree.probes is 'Watched decisions, whether they are as expected, and since when';
