-- What the parts of a deployment know of each other, and what each of them may do.

create table rooftree.log_loss (
    consumer_group text not null,
    topic text not null,
    partition_id integer not null,
    log_id text not null,
    reason text not null,
    noticed_at timestamptz not null default now(),
    primary key (consumer_group, topic, partition_id)
);
comment on table rooftree.log_loss is 'One row a partition that is not read on, since the broker has lost unread records of it and policy is to stop; gone when it is read on';
grant select on rooftree.log_loss to rooftree_reader;

do $$
declare
    worker text;
    lacking text[] := '{}';
begin
    foreach worker in array array['rooftree_projector', 'rooftree_relay', 'rooftree_reconciler', 'rooftree_api'] loop
        if not exists (select from pg_roles where rolname = worker) then
            begin
                execute format('create role %I nologin', worker);
            exception
                when duplicate_object or unique_violation then null; -- another database of this server was migrated at the same moment
                when insufficient_privilege then lacking := lacking || format('create role %I nologin', worker);
            end;
        end if;
    end loop;
    if exists (select from pg_roles where rolname = 'rooftree_api') and not pg_has_role('rooftree_api', 'rooftree_reader', 'member') then
        begin
            grant rooftree_reader to rooftree_api;
        exception
            when insufficient_privilege then lacking := lacking || 'grant rooftree_reader to rooftree_api'::text;
        end;
    elsif lacking <> '{}' then
        lacking := lacking || 'grant rooftree_reader to rooftree_api'::text;
    end if;
    if lacking <> '{}' then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format('%I may not make the roles of the workers', current_user),
            hint = format('as a superuser: %s', array_to_string(lacking, '; '));
    end if;
end
$$;

create procedure rooftree.open_to_worker(worker text, privileges text, variadic relations text[])
language plpgsql
as $$
declare
    relation regclass;
begin
    foreach relation in array relations loop
        execute format('grant %s on %s to %I', privileges, relation, worker);
        -- Workers are at work for every organization; what they may do with a row, their grants say.
        if (select relrowsecurity from pg_class where oid = relation)
            and not exists (select from pg_policy where polrelid = relation and polname = worker)
        then
            execute format('create policy %I on %s to %I using (true)', worker, relation, worker);
        end if;
    end loop;
end
$$;
comment on procedure rooftree.open_to_worker is 'Let a role of a worker do this with the rows of some tables; for every table that workers use';
revoke execute on procedure rooftree.open_to_worker from public;

grant usage on schema rooftree to rooftree_projector, rooftree_relay, rooftree_reconciler, rooftree_api;
grant select on rooftree.migration to rooftree_projector, rooftree_relay, rooftree_reconciler, rooftree_api;

-- The projector writes the view. What was told once it may neither alter nor take back: audit events, changes that were
-- seen, records to send, permission sets, texts of policies.
call rooftree.open_to_worker(
    'rooftree_projector', 'select, insert, update, delete',
    'rooftree.account', 'rooftree.account_history', 'rooftree.principal', 'rooftree.principal_fact', 'rooftree.probe',
    'rooftree.reread', 'rooftree.log_loss'
);
call rooftree.open_to_worker(
    'rooftree_projector', 'select, insert, update',
    'rooftree.organization', 'rooftree.fact', 'rooftree.chain', 'rooftree.consumer_offset', 'rooftree.dead_letter'
);
call rooftree.open_to_worker(
    'rooftree_projector', 'select, insert',
    'rooftree.audit_event', 'rooftree.seen_event', 'rooftree.outbox', 'rooftree.permission_set',
    'rooftree.permission_set_service', 'rooftree.policy_document', 'rooftree.principal_document', 'rooftree.known_action'
);
call rooftree.open_to_worker('rooftree_projector', 'select, insert, delete', 'rooftree.filled_topic');

-- The relay sends. It locks an organization while it puts the states of its accounts into the outbox, for which it
-- needs a column that it may write, and takes the least of them.
call rooftree.open_to_worker('rooftree_relay', 'select, insert, update, delete', 'rooftree.outbox');
call rooftree.open_to_worker('rooftree_relay', 'select, insert, update', 'rooftree.filled_topic');
call rooftree.open_to_worker(
    'rooftree_relay', 'select',
    'rooftree.organization', 'rooftree.account', 'rooftree.permission_set', 'rooftree.probe', 'rooftree.dead_letter'
);
grant update (updated_at) on rooftree.organization to rooftree_relay;
grant update (sent_at) on rooftree.dead_letter to rooftree_relay;

-- The reconciler compares, and writes down what it found; what follows from that goes the way of all changes.
call rooftree.open_to_worker(
    'rooftree_reconciler', 'select',
    'rooftree.organization', 'rooftree.fact', 'rooftree.account', 'rooftree.account_history', 'rooftree.principal_fact',
    'rooftree.principal_document', 'rooftree.policy_document', 'rooftree.chain', 'rooftree.permission_set',
    'rooftree.seen_event', 'rooftree.audit_event', 'rooftree.probe', 'rooftree.reread', 'rooftree.consumer_offset'
);
call rooftree.open_to_worker('rooftree_reconciler', 'select, insert, update, delete', 'rooftree.reconciliation');

-- The API reads the view as rooftree_reader, for the organizations that its caller may see; it writes who came.
call rooftree.open_to_worker('rooftree_api', 'select, insert, update', 'rooftree.api_token', 'rooftree.access_log');
call rooftree.open_to_worker('rooftree_api', 'select, insert, update, delete', 'rooftree.session');
