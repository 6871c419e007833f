-- read_organizations --
-- Where the view of each organization stands.
select organization_id, revision, chain_hash, incomplete_since, incomplete_reason, version
from rooftree.organization
order by organization_id;

-- read_log_losses --
-- How many partitions no projector reads on, since records were lost, and since when.
select count(*) as partitions, min(noticed_at) as since from rooftree.log_loss;

-- read_account_count --
-- How many accounts an organization has.
select count(*) from rooftree.account where organization_id = $1;

-- read_accounts_now --
-- Accounts after an id, as they are.
select
    a.organization_id, a.account_id, a.name, a.email, a.status, a.path, a.placed,
    (a.placed and o.incomplete_since is null) as complete,
    a.chain_id, a.permissions_id, a.revision, a.since, null::timestamptz as until, a.cause_event_id
from rooftree.account as a
join rooftree.organization as o using (organization_id)
where
    a.organization_id = $1 and a.account_id > $2
    and ($4::text is null or strpos(lower(a.name), lower($4)) > 0 or strpos(a.account_id, $4) > 0)
    and ($5::text is null or $5 = any(a.path))
    and ($6::text is null or a.status = $6)
order by a.account_id
limit $3;

-- read_accounts_at --
-- Accounts after an id, as they were at a time.
select
    organization_id, account_id, name, email, status, path, placed, (placed and complete) as complete,
    chain_id, permissions_id, revision, valid_from as since, valid_to as until, cause_event_id
from rooftree.account_history
where
    organization_id = $1 and account_id > $2
    and ($4::text is null or strpos(lower(name), lower($4)) > 0 or strpos(account_id, $4) > 0)
    and ($5::text is null or $5 = any(path))
    and ($6::text is null or status = $6)
    and valid_from <= $7 and (valid_to is null or $7 < valid_to)
order by account_id
limit $3;

-- read_account_now --
-- One account as it is.
select
    a.organization_id, a.account_id, a.name, a.email, a.status, a.path, a.placed,
    (a.placed and o.incomplete_since is null) as complete,
    a.chain_id, a.permissions_id, a.revision, a.since, null::timestamptz as until, a.cause_event_id
from rooftree.account as a
join rooftree.organization as o using (organization_id)
where a.organization_id = $1 and a.account_id = $2;

-- read_account_at --
-- One account as it was at a time.
select
    organization_id, account_id, name, email, status, path, placed, (placed and complete) as complete,
    chain_id, permissions_id, revision, valid_from as since, valid_to as until, cause_event_id
from rooftree.account_history
where
    organization_id = $1 and account_id = $2
    and valid_from <= $3 and (valid_to is null or $3 < valid_to);

-- read_bound_account_now --
-- One account as it is, with what binds it.
select
    a.organization_id, a.account_id, a.name, a.email, a.status, a.path, a.placed,
    (a.placed and o.incomplete_since is null) as complete,
    a.chain_id, a.permissions_id, a.revision, a.since, null::timestamptz as until, a.cause_event_id,
    c.chain_id is not null as is_bound, c.levels
from rooftree.account as a
join rooftree.organization as o using (organization_id)
left join rooftree.chain as c using (organization_id, chain_id)
where a.organization_id = $1 and a.account_id = $2;

-- read_bound_account_at --
-- One account as it was at a time, with what bound it.
select
    h.organization_id, h.account_id, h.name, h.email, h.status, h.path, h.placed, (h.placed and h.complete) as complete,
    h.chain_id, h.permissions_id, h.revision, h.valid_from as since, h.valid_to as until, h.cause_event_id,
    c.chain_id is not null as is_bound, c.levels
from rooftree.account_history as h
left join rooftree.chain as c using (organization_id, chain_id)
where
    h.organization_id = $1 and h.account_id = $2
    and h.valid_from <= $3 and (h.valid_to is null or $3 < h.valid_to);

-- read_organizations_of --
-- The organizations that have or had an account; rare enough to read without an index of its own.
select distinct organization_id from rooftree.account_history where account_id = $1 order by organization_id;

-- read_account_history --
-- What an account was, the latest first, from rows that began before a time.
select
    organization_id, account_id, name, email, status, path, placed, (placed and complete) as complete,
    chain_id, permissions_id, revision, valid_from as since, valid_to as until, cause_event_id
from rooftree.account_history
where organization_id = $1 and account_id = $2 and ($3::timestamptz is null or valid_from < $3)
order by valid_from desc
limit $4;
