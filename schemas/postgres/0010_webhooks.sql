-- Audit events by HTTP, for those who have no Kafka.

create table rooftree.webhook (
    organization_id text not null,
    webhook_id text not null,
    url text not null,
    secret text not null,
    types text[],
    verdicts text[],
    account_ids text[],
    created_at timestamptz not null default now(),
    created_by text not null,
    disabled_at timestamptz,
    disabled_reason text,
    revision bigint not null,
    part integer not null,
    attempts integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    delivered_at timestamptz,
    last_error text,
    lease text,
    leased_until timestamptz,
    primary key (organization_id, webhook_id)
);
create index webhook_due on rooftree.webhook (next_attempt_at) where disabled_at is null;
comment on table rooftree.webhook is 'Who is told of audit events by HTTP, and how far each has been told. INVARIANT: an event is sent after all before it of the same subscription were accepted or given up';
comment on column rooftree.webhook.secret is 'Key of the signatures; shown once, when the subscription is made';
comment on column rooftree.webhook.types is 'Types of events that are wanted; null for all, as for the two below';
comment on column rooftree.webhook.revision is 'With part, the last event that was accepted, given up, or not wanted';
comment on column rooftree.webhook.attempts is 'How often the next event was tried';
comment on column rooftree.webhook.lease is 'Which worker is at it, until leased_until; one that has died is not waited for longer';

create table rooftree.webhook_letter (
    organization_id text not null,
    letter_id bigint generated always as identity,
    webhook_id text not null,
    revision bigint not null,
    part integer not null,
    event_id text not null,
    attempts integer not null,
    reason text not null,
    given_up_at timestamptz not null default now(),
    delivered_at timestamptz,
    primary key (organization_id, letter_id),
    foreign key (organization_id, webhook_id) references rooftree.webhook on delete cascade
);
create unique index webhook_letter_by_id on rooftree.webhook_letter (letter_id);
comment on table rooftree.webhook_letter is 'Events that a subscriber did not accept, after which the next was sent';
comment on column rooftree.webhook_letter.delivered_at is 'When a replay was accepted; null while it waits';

-- Nothing here is for readers: the addresses may hold secrets as well. They are protected all the same.
alter table rooftree.webhook enable row level security;
alter table rooftree.webhook_letter enable row level security;
