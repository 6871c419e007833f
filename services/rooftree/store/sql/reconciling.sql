-- read_reconciliations --
-- The rounds of an organization from before one, the latest first.
select
    organization_id, reconciliation_id, occasion, started_at, finished_at, moment, result, reason, accounts, found,
    postponed, by_kind, differences
from rooftree.reconciliation
where organization_id = $1 and reconciliation_id < $2
order by reconciliation_id desc
limit $3

-- try_lock_reconciliation --
-- Be the only reconciler of an organization until the session ends, or learn that another one is.
select pg_try_advisory_lock(hashtextextended('rooftree.reconciliation:' || $1::text, 0))

-- abandon_reconciliations --
-- Close the rounds of an organization that ended without saying how: their reconciler is gone, or it would hold the lock.
update rooftree.reconciliation
set result = 'failed', reason = 'its reconciler ended before it did', finished_at = now()
where organization_id = $1 and result = 'running'

-- begin_reconciliation --
-- Write down that a round begins.
insert into rooftree.reconciliation (organization_id, occasion) values ($1, $2) returning reconciliation_id

-- finish_reconciliation --
-- Write down what a round has found.
update rooftree.reconciliation
set
    result = 'done', finished_at = now(), moment = $3, accounts = $4, found = $5, postponed = $6, by_kind = $7,
    differences = $8
where organization_id = $1 and reconciliation_id = $2

-- fail_reconciliation --
-- Write down why a round came to nothing.
update rooftree.reconciliation
set result = 'failed', finished_at = now(), reason = $3
where organization_id = $1 and reconciliation_id = $2

-- since_last_reconciliation --
-- How many seconds ago the last round over all of an organization began, of those that came to an end.
select extract(epoch from now() - started_at)
from rooftree.reconciliation
where organization_id = $1 and occasion = 'schedule' and result = 'done'
order by reconciliation_id desc
limit 1

-- trim_reconciliations --
-- Forget the rounds of an organization that began more than ninety days ago.
delete from rooftree.reconciliation where organization_id = $1 and started_at < now() - interval '90 days'
