-- Comparisons of what is stored with what AWS itself says.

create table rooftree.reconciliation (
    organization_id text not null,
    reconciliation_id bigint generated always as identity,
    occasion text not null check (occasion in ('schedule', 'reread')),
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    moment timestamptz,
    result text not null default 'running' check (result in ('running', 'done', 'failed')),
    reason text,
    accounts integer,
    found integer not null default 0,
    postponed integer not null default 0,
    by_kind jsonb not null default '{}',
    differences jsonb not null default '[]',
    primary key (organization_id, reconciliation_id),
    constraint reconciliation_finished_somehow check ((finished_at is null) = (result = 'running'))
);
comment on table rooftree.reconciliation is 'One row a round of the reconciler; organization_id is empty while AWS has not told it';
comment on column rooftree.reconciliation.occasion is 'schedule: the whole organization in its turn; reread: objects that an event did not tell enough about';
comment on column rooftree.reconciliation.moment is 'As of when the round speaks: what happened later is for events and for later rounds to tell';
comment on column rooftree.reconciliation.reason is 'Why it failed';
comment on column rooftree.reconciliation.accounts is 'How many accounts AWS listed; null for a reread';
comment on column rooftree.reconciliation.found is 'How many changes no event had told, which are published now';
comment on column rooftree.reconciliation.postponed is 'Differences that are too young to be believed, or of which an event may be under way';
comment on column rooftree.reconciliation.by_kind is 'found, by the type of the change that was lost';
comment on column rooftree.reconciliation.differences is 'The first of them: event_id, type and the data of the event that was published';

create view rooftree.reconciliations as
select
    organization_id, reconciliation_id, occasion, started_at, finished_at, moment, result, reason, accounts, found,
    postponed, by_kind, differences
from rooftree.reconciliation;
comment on view rooftree.reconciliations is 'When the view was compared with AWS, and what its events had lost';
