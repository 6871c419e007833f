-- What verifications have found, and roles for those who verify and who send webhooks.

do $$
declare
    worker text;
    lacking text[] := '{}';
begin
    foreach worker in array array['rooftree_webhooks', 'rooftree_verifier'] loop
        if not exists (select from pg_roles where rolname = worker) then
            begin
                execute format('create role %I nologin', worker);
            exception
                when duplicate_object or unique_violation then null; -- another database of this server was migrated at the same moment
                when insufficient_privilege then lacking := lacking || format('create role %I nologin', worker);
            end;
        end if;
    end loop;
    if lacking <> '{}' then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format('%I may not make the roles of the workers', current_user),
            hint = format('as a superuser: %s', array_to_string(lacking, '; '));
    end if;
end
$$;
grant usage on schema rooftree to rooftree_webhooks, rooftree_verifier;
grant select on rooftree.migration to rooftree_webhooks, rooftree_verifier;

create table rooftree.verification (
    organization_id text not null,
    subject text not null check (subject in ('audit', 'view')),
    verified_at timestamptz not null default now(),
    revision bigint not null,
    part integer not null,
    checked bigint not null,
    faults integer not null,
    fault text,
    primary key (organization_id, subject),
    constraint verification_names_its_fault check ((faults = 0) = (fault is null))
);
comment on table rooftree.verification is 'What the last verification of each organization has found';
comment on column rooftree.verification.subject is 'audit: the audit events in their order, each by its seal; view: accounts and their history, worked out anew from the facts';
comment on column rooftree.verification.revision is 'With part, the last audit event that is whole, as are all before it; of the view, the revision that it had at least';
comment on column rooftree.verification.checked is 'How many audit events are whole; of the view, how many accounts and rows of their history were looked at';
comment on column rooftree.verification.faults is 'How many things are wrong; audit events are read up to the first';
comment on column rooftree.verification.fault is 'The first of them, with its place';
call rooftree.open_to_readers('rooftree.verification');

-- The verifier reads what is stored, and writes down what it found. Of dead letters it needs to know where they came from.
call rooftree.open_to_worker(
    'rooftree_verifier', 'select',
    'rooftree.organization', 'rooftree.fact', 'rooftree.account', 'rooftree.account_history', 'rooftree.chain',
    'rooftree.policy_document', 'rooftree.permission_set', 'rooftree.permission_set_service', 'rooftree.seen_event',
    'rooftree.audit_event', 'rooftree.consumer_offset'
);
call rooftree.open_to_worker('rooftree_verifier', 'select (topic)', 'rooftree.dead_letter');
call rooftree.open_to_worker('rooftree_verifier', 'select, insert, update', 'rooftree.verification');

-- Who sends webhooks signs them, and notes how far each subscriber was told.
call rooftree.open_to_worker('rooftree_webhooks', 'select, update', 'rooftree.webhook');
call rooftree.open_to_worker('rooftree_webhooks', 'select, insert', 'rooftree.webhook_letter');
call rooftree.open_to_worker('rooftree_webhooks', 'select', 'rooftree.audit_event');

-- The API looks after subscriptions for admins. Their secrets it may write and not read: what it sends itself, tests and
-- replays, is signed for it.
call rooftree.open_to_worker(
    'rooftree_api',
    'insert, delete, select (organization_id, webhook_id, url, types, verdicts, account_ids, created_at, created_by,'
    ' disabled_at, disabled_reason, revision, part, attempts, next_attempt_at, delivered_at, last_error),'
    ' update (disabled_at, disabled_reason, attempts, next_attempt_at)',
    'rooftree.webhook'
);
call rooftree.open_to_worker('rooftree_api', 'select, update (delivered_at)', 'rooftree.webhook_letter');
-- What it does not read as rooftree_reader, it reads for admins and auditors, whose organizations it holds apart itself.
call rooftree.open_to_worker('rooftree_api', 'select', 'rooftree.organization', 'rooftree.audit_event', 'rooftree.dead_letter');

create function rooftree.sign_webhook(webhook_organization text, webhook text, message bytea) returns bytea
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    key bytea;
    inner_pad bytea := decode(repeat('36', 64), 'hex');
    outer_pad bytea := decode(repeat('5c', 64), 'hex');
begin
    select decode(substr(w.secret, length('whsec_') + 1), 'base64') into strict key
    from rooftree.webhook as w
    where w.organization_id = webhook_organization and w.webhook_id = webhook;
    -- A key has at most the 64 bytes of a block of SHA-256, so that it is never hashed itself.
    for place in 0 .. length(key) - 1 loop
        inner_pad := set_byte(inner_pad, place, get_byte(inner_pad, place) # get_byte(key, place));
        outer_pad := set_byte(outer_pad, place, get_byte(outer_pad, place) # get_byte(key, place));
    end loop;
    return sha256(outer_pad || sha256(inner_pad || message));
end
$$;
comment on function rooftree.sign_webhook is 'HMAC-SHA256 (RFC 2104) of a message by the key of a subscription, for who may not read the key';
revoke execute on function rooftree.sign_webhook from public;
grant execute on function rooftree.sign_webhook to rooftree_api;
