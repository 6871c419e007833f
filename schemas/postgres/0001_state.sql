-- The state of each organization: what is known, what follows from it for each account, and since when.
-- INVARIANT: organization_id is the first column of every primary key, so that rows can be spread by organization.

create extension if not exists btree_gist;

create table rooftree.organization (
    organization_id text not null,
    revision bigint not null default 0,
    version bigint not null default 0,
    chain_hash text not null,
    incomplete_since timestamptz,
    incomplete_until timestamptz,
    incomplete_reason text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id)
);
comment on table rooftree.organization is 'How far the view of each organization has come; its row lock makes writers of one organization take turns';
comment on column rooftree.organization.revision is 'Counts the changes that put something on the audit topic';
comment on column rooftree.organization.version is 'Counts every write; a writer whose memory is of another version loads anew';
comment on column rooftree.organization.chain_hash is 'chain_hash.this of the last audit event';
comment on column rooftree.organization.incomplete_since is 'Time of the first change that could not be processed since the view was last complete; null while it is complete';
comment on column rooftree.organization.incomplete_until is 'Time of the latest such change; a snapshot taken later makes the view complete';

create table rooftree.fact (
    organization_id text not null,
    kind text not null,
    subject text not null,
    attribute text not null,
    value jsonb not null,
    time timestamptz not null,
    sequence text not null,
    rank smallint not null,
    event_id text not null,
    primary key (organization_id, kind, subject, attribute)
);
comment on table rooftree.fact is 'Registers in which the last writer wins; the rest of the state follows from them';
comment on column rooftree.fact.value is 'Text, a truth value or the JSON null';
comment on column rooftree.fact.time is 'With sequence, rank and event_id the version that makes one value win over another';

create table rooftree.account (
    organization_id text not null,
    account_id text not null,
    name text not null,
    email text,
    status text not null,
    parent_id text,
    path text[] not null,
    placed boolean not null,
    chain_id text,
    permissions_id text,
    reported_chain_id text,
    revision bigint not null,
    since timestamptz not null,
    cause_event_id text not null,
    primary key (organization_id, account_id)
) with (fillfactor = 80);
-- No further index: a change at a root rewrites every row, in place as long as no indexed column changes.
comment on table rooftree.account is 'The view: one row an account';
comment on column rooftree.account.path is 'The nodes from the root to the account';
comment on column rooftree.account.placed is 'Whether every ancestor is known; an account that is not placed has no permissions';
comment on column rooftree.account.reported_chain_id is 'The chain that consumers were told of last';
comment on column rooftree.account.revision is 'The revision of the organization after the change that made this row';
comment on column rooftree.account.since is 'Time of that change, or the start of the row before if that is later';

create table rooftree.account_history (
    organization_id text not null,
    account_id text not null,
    valid_from timestamptz not null,
    valid_to timestamptz,
    name text not null,
    email text,
    status text not null,
    parent_id text,
    path text[] not null,
    placed boolean not null,
    chain_id text,
    permissions_id text,
    revision bigint not null,
    complete boolean not null,
    cause_event_id text not null,
    primary key (organization_id, account_id, valid_from),
    -- The account first and as a number: with texts in front this constraint took most of the time of a commit.
    constraint account_history_one_row_at_a_time
        exclude using gist (
            (account_id::bigint) with =, organization_id with =, tstzrange(valid_from, valid_to) with &&
        )
);
create unique index account_history_one_open_row
    on rooftree.account_history (organization_id, account_id) where valid_to is null;
comment on table rooftree.account_history is 'What the row of each account was, and from when to when';
comment on column rooftree.account_history.valid_to is 'Null for the row that holds now';
comment on column rooftree.account_history.complete is 'Whether the view was complete when this row was written';

create table rooftree.chain (
    organization_id text not null,
    chain_id text not null,
    levels jsonb,
    primary key (organization_id, chain_id)
);
comment on table rooftree.chain is 'What hangs where between the root and an account';
comment on column rooftree.chain.levels is 'A list of {target_id, policies: [{policy_id, name, digest}]} from the root down, the level of the account itself as target account; null where nothing limits the account';

create table rooftree.policy_document (
    organization_id text not null,
    digest text not null,
    content text not null,
    primary key (organization_id, digest)
);
comment on table rooftree.policy_document is 'The canonical text of each policy that is or was in a chain';

create table rooftree.permission_set (
    organization_id text not null,
    permissions_id text not null,
    permissions jsonb not null,
    verdict text not null check (verdict in ('allowed', 'conditional', 'denied')),
    primary key (organization_id, permissions_id)
);
comment on table rooftree.permission_set is 'Maximum permissions, shared by all accounts that have them';
comment on column rooftree.permission_set.permissions is 'A summary, in which {account} stands for the id of the account';
comment on column rooftree.permission_set.verdict is 'The verdict on every known action of services that are not in permission_set_service';

create table rooftree.permission_set_service (
    organization_id text not null,
    permissions_id text not null,
    service text not null,
    verdict text not null check (verdict in ('allowed', 'conditional', 'denied')),
    exceptions jsonb not null default '{}',
    primary key (organization_id, permissions_id, service),
    foreign key (organization_id, permissions_id) references rooftree.permission_set on delete cascade
);
comment on table rooftree.permission_set_service is 'Services whose verdicts differ from that of their permission set';
comment on column rooftree.permission_set_service.exceptions is 'Verdict by action where it differs from that of the service';

create table rooftree.known_action (
    service text not null,
    action text not null,
    primary key (service, action)
);
comment on table rooftree.known_action is 'The actions of AWS that are known today, the same for every organization; decisions never depend on them';
