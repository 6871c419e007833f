-- row_security_active --
-- Tell whether policies bind this session at a table.
select row_security_active($1::text)

-- lock_migrations --
-- Let one process migrate at a time, or learn that another one does; the number only has to be ours. Whoever waited in
-- a statement would hold a snapshot meanwhile, and an index that is built concurrently waits for all of these.
select pg_try_advisory_lock(7216543209180)

-- unlock_migrations --
-- Let the next one in.
select pg_advisory_unlock(7216543209180)

-- limit_lock_wait --
-- Let go of a statement of this transaction that waits for a lock; all who come after it wait behind it.
select set_config('lock_timeout', $1, true)

-- close_views --
-- Let nobody into a view until this transaction ends. Whoever reads one holds it before the tables behind it: who waits
-- here holds none of these yet, and those who hold some are waited for. A step and a reader that lock the same tables in
-- different orders would wait for each other, and a reader that comes again at once would never let the step through.
-- What is reset was never set; `lock table` would lock the tables as well, in an order of its own.
do $$
declare
    relation regclass;
begin
    for relation in
        select c.oid
        from pg_class as c
        where c.relnamespace = 'rooftree'::regnamespace and c.relkind = 'v'
        order by c.oid
    loop
        execute format('alter view %s reset (check_option)', relation);
    end loop;
end
$$

-- create_migration_table --
-- Make the place where applied steps are remembered.
create schema if not exists rooftree;
create table if not exists rooftree.migration (
    version integer primary key,
    name text not null,
    checksum text not null,
    software_version text not null,
    applied_at timestamptz not null default now()
);
comment on table rooftree.migration is 'The steps that brought this database to its schema'

-- migration_table_exists --
-- Tell whether this database was ever migrated.
select to_regclass('rooftree.migration') is not null

-- applied_migrations --
-- List the steps that this database has.
select version, checksum from rooftree.migration order by version

-- record_migration --
-- Remember a step, in its own transaction.
insert into rooftree.migration (version, name, checksum, software_version) values ($1, $2, $3, $4)
