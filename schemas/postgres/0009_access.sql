-- Who may read, what each of them may see, and a record of what they did.

do $$
begin
    if not exists (select from pg_roles where rolname = 'rooftree_reader') then
        create role rooftree_reader nologin;
    end if;
exception
    when duplicate_object or unique_violation then null; -- another database of this server was migrated at the same moment
    when insufficient_privilege then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format('%I may not create the role rooftree_reader', current_user),
            hint = format('as a superuser: create role rooftree_reader nologin; grant rooftree_reader to %I', current_user);
end
$$;

do $$
begin
    -- To read as a role one has to be a member of it; who created it is not one yet.
    execute 'set local role rooftree_reader';
    execute 'reset role';
exception
    when insufficient_privilege then
        begin
            execute format('grant rooftree_reader to %I', current_user);
        exception
            when insufficient_privilege then
                raise exception using
                    errcode = 'insufficient_privilege',
                    message = format('%I is not a member of rooftree_reader', current_user),
                    hint = format('as a superuser: grant rooftree_reader to %I', current_user);
        end;
end
$$;

grant usage on schema rooftree to rooftree_reader;

create function rooftree.sees_all() returns boolean
language sql stable parallel safe
return coalesce(current_setting('rooftree.organizations', true), '') = '*';
comment on function rooftree.sees_all is 'Whether this transaction reads for somebody who may see every organization';

create function rooftree.seen_organizations() returns text[]
language sql stable parallel safe
return string_to_array(coalesce(current_setting('rooftree.organizations', true), ''), ',');
comment on function rooftree.seen_organizations is 'The organizations for which this transaction reads; none where nothing was set';

create procedure rooftree.open_to_readers(relation regclass)
language plpgsql
as $$
begin
    -- The functions stand in subqueries, so that they are asked once a statement and not once a row.
    execute format('alter table %s enable row level security', relation);
    execute format(
        'create policy readers on %s for select to rooftree_reader using ('
        '(select rooftree.sees_all()) or organization_id = any ((select rooftree.seen_organizations())::text[]))',
        relation
    );
    execute format('grant select on %s to rooftree_reader', relation);
end
$$;
comment on procedure rooftree.open_to_readers is 'Let rooftree_reader see those rows of a table that belong to the organizations of its transaction; for every table with organization_id';

revoke execute on procedure rooftree.open_to_readers from public;

do $$
declare
    relation regclass;
begin
    for relation in
        select c.oid
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped
        where c.relnamespace = 'rooftree'::regnamespace and c.relkind in ('r', 'p')
    loop
        call rooftree.open_to_readers(relation);
    end loop;
    -- A view reads as its owner, whom no policy binds, unless it is told to read as whoever asks.
    for relation in
        select c.oid from pg_class as c where c.relnamespace = 'rooftree'::regnamespace and c.relkind = 'v'
    loop
        execute format('alter view %s set (security_invoker = true)', relation);
        execute format('grant select on %s to rooftree_reader', relation);
    end loop;
end
$$;
-- These speak of no organization.
grant select on rooftree.known_action, rooftree.consumer_offset, rooftree.migration to rooftree_reader;

create table rooftree.api_token (
    token_id text not null,
    name text not null,
    digest bytea not null unique check (octet_length(digest) = 32),
    role text not null check (role in ('viewer', 'auditor', 'admin')),
    organizations text[] check (cardinality(organizations) > 0),
    created_at timestamptz not null default now(),
    created_by text not null,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    primary key (token_id)
);
create unique index api_token_name on rooftree.api_token (name) where revoked_at is null;
comment on table rooftree.api_token is 'Bearer tokens of programs';
comment on column rooftree.api_token.digest is 'SHA-256 of the token, which holds 256 random bits: there is nothing to guess that a slow hash would protect';
comment on column rooftree.api_token.organizations is 'Which may be seen; null for all of them';
comment on column rooftree.api_token.expires_at is 'Null for never';
comment on column rooftree.api_token.last_used_at is 'To the minute';

create table rooftree.session (
    digest bytea not null check (octet_length(digest) = 32),
    kind text not null check (kind in ('token', 'person', 'admin_token')),
    name text not null,
    identity text not null,
    role text not null check (role in ('viewer', 'auditor', 'admin')),
    organizations text[] check (cardinality(organizations) > 0),
    token_id text references rooftree.api_token on delete cascade,
    proof bytea,
    id_token text,
    created_at timestamptz not null default now(),
    used_at timestamptz not null default now(),
    expires_at timestamptz not null,
    primary key (digest)
);
create index session_expiry on rooftree.session (expires_at);
comment on table rooftree.session is 'Browsers that are signed in';
comment on column rooftree.session.digest is 'SHA-256 of the cookie, which holds 256 random bits';
comment on column rooftree.session.token_id is 'The token that opened the session, and with which it ends';
comment on column rooftree.session.proof is 'Of a session that the admin token opened: HMAC of that token by the cookie, so that another admin token ends it';
comment on column rooftree.session.id_token is 'What the identity provider wants to see at a logout';

create table rooftree.access_log (
    entry_id bigint generated always as identity,
    time timestamptz not null default now(),
    kind text not null,
    name text not null,
    identity text not null,
    role text,
    organizations text[],
    address text not null,
    action text not null,
    outcome text not null check (outcome in ('begun', 'done', 'refused', 'failed')),
    status integer,
    detail text not null default '',
    primary key (entry_id)
);
create index access_log_time on rooftree.access_log (time);
comment on table rooftree.access_log is 'Sign-ins, writes and refusals: who, from where, what, when, and how it ended';
comment on column rooftree.access_log.kind is 'token, person, admin_token, command for a command line, unknown for a stranger';
comment on column rooftree.access_log.action is 'METHOD /path of a request; sign-in, sign-out; token create, token revoke';
comment on column rooftree.access_log.outcome is 'begun: written before the request was handled, and still so if the process died in it';
