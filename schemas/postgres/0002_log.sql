-- What was read, what is to be sent, and what could not be processed.

create table rooftree.consumer_offset (
    consumer_group text not null,
    log_id text not null,
    topic text not null,
    partition_id integer not null,
    next_offset bigint not null,
    updated_at timestamptz not null default now(),
    primary key (consumer_group, log_id, topic, partition_id)
);
comment on table rooftree.consumer_offset is 'Where to read on. INVARIANT: moved in the transaction that holds the effect of the records, from the offset they started at, and in no other way';
comment on column rooftree.consumer_offset.log_id is 'The id of the Kafka cluster: a broker that was made anew is not the one that was read before';

create table rooftree.seen_event (
    organization_id text not null,
    source text not null,
    event_id text not null,
    type text not null,
    time timestamptz not null,
    revision bigint not null,
    log_id text not null,
    topic text not null,
    partition_id integer not null,
    record_offset bigint not null,
    record_time timestamptz,
    recorded_at timestamptz not null default now(),
    primary key (organization_id, source, event_id)
);
comment on table rooftree.seen_event is 'The changes that the view holds: one that is delivered again does nothing';
comment on column rooftree.seen_event.time is 'When the change took effect';
comment on column rooftree.seen_event.revision is 'The revision of the organization after it';
comment on column rooftree.seen_event.record_time is 'When the broker took it';

create table rooftree.audit_event (
    organization_id text not null,
    revision bigint not null,
    part integer not null,
    parts integer not null,
    event_id text not null,
    type text not null,
    account_id text,
    time timestamptz not null,
    recorded_at timestamptz not null default now(),
    verdict text,
    cause_event_id text not null,
    data jsonb not null,
    primary key (organization_id, revision, part),
    check (part between 1 and parts)
);
create unique index audit_event_by_id on rooftree.audit_event (organization_id, event_id);
create index audit_event_by_account on rooftree.audit_event (organization_id, account_id, revision);
comment on table rooftree.audit_event is 'Every audit event that was ever emitted, in its order';
comment on column rooftree.audit_event.part is 'Position among the events of one revision, from 1';
comment on column rooftree.audit_event.account_id is 'Null for an event about the organization';
comment on column rooftree.audit_event.time is 'Time of the cause; recorded_at is when this service knew';

create table rooftree.outbox (
    organization_id text not null,
    position bigint generated always as identity,
    id text not null,
    aggregatetype text not null,
    aggregateid text not null,
    type text not null,
    payload bytea,
    headers jsonb not null default '{}',
    revision bigint not null,
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    primary key (organization_id, position)
);
-- Compressing what is read once and deleted soon costs more than it saves.
alter table rooftree.outbox alter column payload set storage external;
create index outbox_unsent on rooftree.outbox (organization_id, position) where sent_at is null;
comment on table rooftree.outbox is 'Records to send. Columns are named as the outbox event router of Debezium wants them, which may do the sending instead';
comment on column rooftree.outbox.position is 'The order of sending within an organization: given under the lock of its row, so it is the order of commits';
comment on column rooftree.outbox.aggregatetype is 'Which topic: audit or permissions';
comment on column rooftree.outbox.aggregateid is 'The record key';
comment on column rooftree.outbox.payload is 'The record value; null for a tombstone';
comment on column rooftree.outbox.sent_at is 'When the broker had it; sent rows are removed after a while';

create table rooftree.dead_letter (
    organization_id text not null default '',
    letter_id bigint generated always as identity,
    log_id text not null,
    topic text not null,
    partition_id integer not null,
    record_offset bigint not null,
    record_time timestamptz,
    key bytea,
    value bytea,
    header_names bytea[] not null default '{}',
    header_values bytea[] not null default '{}',
    reason text not null,
    place text not null default '',
    disposition text not null,
    error_class text not null,
    software_version text not null,
    recorded_at timestamptz not null default now(),
    sent_at timestamptz,
    primary key (organization_id, letter_id)
);
alter table rooftree.dead_letter alter column value set storage external;
create index dead_letter_unsent on rooftree.dead_letter (letter_id) where sent_at is null;
comment on table rooftree.dead_letter is 'Records that could not be processed, their bytes untouched';
comment on column rooftree.dead_letter.organization_id is 'The organization that misses the change; empty if the record does not tell';
comment on column rooftree.dead_letter.reason is 'What was expected, in one line';
comment on column rooftree.dead_letter.place is 'Where in the record';
comment on column rooftree.dead_letter.disposition is 'undecodable, unknown_schema, refused, too_large or fault (of this service)';

create table rooftree.filled_topic (
    organization_id text not null,
    log_id text not null,
    topic text not null,
    filled_at timestamptz not null default now(),
    primary key (organization_id, log_id, topic)
);
comment on table rooftree.filled_topic is 'Where the compacted topic has the state of every account of an organization; a broker that was made anew has not';
