-- examine_server --
-- What the server says of itself.
select
    current_setting('server_version_num')::integer as version,
    pg_is_in_recovery() as in_recovery,
    current_setting('fsync') as fsync,
    current_setting('synchronous_commit') as synchronous_commit,
    current_setting('full_page_writes') as full_page_writes,
    (select count(*) from pg_stat_activity where usesysid is not null) as connections,
    current_setting('max_connections')::integer as max_connections

-- examine_clock --
-- The time of the server.
select clock_timestamp()

-- examine_user --
-- Who asks: as whom the service comes, whether it sees every row, and whether it sees what others are at.
select
    u.rolsuper or u.rolbypassrls or pg_has_role(n.nspowner, 'usage') as sees_all,
    pg_has_role('pg_read_all_stats', 'usage') as sees_sessions,
    array(
        select r.rolname::text
        from pg_roles as r
        where r.rolname like 'rooftree\_%' and pg_has_role(r.oid, 'member')
        order by r.rolname
    ) as roles
from pg_roles as u
left join pg_namespace as n on n.nspname = 'rooftree'
where u.rolname = current_user

-- examine_rights --
-- What this user may not do with the tables and views of the schema, of what its roles may, or of everything.
select
    c.relname as name,
    usage.granted and has_table_privilege(c.oid, 'select') as readable,
    array(
        select verb
        from unnest(array['select', 'insert', 'update', 'delete']) as verb
        where
            not (usage.granted and has_table_privilege(c.oid, verb))
            and case
                when $1::text[] <> '{}' then exists (select from unnest($1::text[]) as role where has_table_privilege(role, c.oid, verb))
                else verb = 'select' or (c.relkind <> 'v' and c.relname <> 'migration')
            end
    ) as lacking
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
cross join lateral (select has_schema_privilege(n.oid, 'usage') as granted) as usage
where n.nspname = 'rooftree' and c.relkind in ('r', 'p', 'v') and not c.relispartition
order by c.relname

-- examine_everything --
-- Have readers that row-level security binds see the rows of every organization.
select set_config('rooftree.organizations', '*', false)

-- examine_oldest_transaction --
-- The transaction of another session of this database that has been open for longest.
select
    pid, application_name as application, usename as user, coalesce(state, 'unknown') as state,
    extract(epoch from clock_timestamp() - xact_start)::double precision as seconds,
    (pg_blocking_pids(pid))[1] as waits_for
from pg_stat_activity
where
    datname = current_database()
    and backend_type = 'client backend'
    and pid <> pg_backend_pid()
    and xact_start is not null
order by xact_start
limit 1

-- examine_roles --
-- How many connections to this database each role of the service has.
select application_name as role, count(*) as connections
from pg_stat_activity
where datname = current_database() and application_name like 'rooftree%' and pid <> pg_backend_pid()
group by application_name

-- examine_letters --
-- Dead letters that wait, by organization.
select organization_id, count(*) as letters
from rooftree.dead_letter
where resolved_at is null
group by organization_id
order by organization_id

-- examine_incomplete --
-- Organizations that miss something.
select organization_id, coalesce(incomplete_reason, 'unknown') as reason
from rooftree.organization
where incomplete_since is not null
order by organization_id

-- examine_unsent --
-- How much waits for a relay, and for how long the oldest of it has.
select
    (
        select count(*)
        from rooftree.outbox_waiting as w
        join rooftree.outbox as o on o.organization_id = w.organization_id and o.position >= w.position
    )
    + (select count(*) from rooftree.dead_letter where sent_at is null) as unsent,
    coalesce(extract(epoch from clock_timestamp() - least(
        (select min(created_at) from rooftree.outbox_waiting),
        (select min(recorded_at) from rooftree.dead_letter where sent_at is null)
    )), 0)::double precision as oldest

-- examine_offsets --
-- Where a group of projectors reads on in the partitions of a log.
select partition_id, next_offset
from rooftree.consumer_offset
where consumer_group = $1 and log_id in ($2, split_part($2, '/', 1)) and topic = $3

-- examine_losses --
-- Partitions that a group of projectors does not read on, since the broker has lost unread records of them.
select partition_id, reason from rooftree.log_loss where consumer_group = $1 and topic = $2 order by partition_id
