-- read_for --
-- Read as the role without rights of its own, for these organizations, until the transaction ends.
select set_config('role', 'rooftree_reader', true), set_config('rooftree.organizations', $1, true);

-- create_token --
-- Keep a token by its digest.
insert into rooftree.api_token (token_id, name, digest, role, organizations, created_by, expires_at)
values ($1, $2, $3, $4, $5, $6, $7);

-- list_tokens --
-- Tokens, the latest first: all, or those that see nothing but some organizations.
select token_id, name, role, organizations, created_at, created_by, expires_at, last_used_at, revoked_at
from rooftree.api_token
where $1::text[] is null or organizations <@ $1
order by created_at desc, token_id;

-- revoke_token --
-- End a token that is named by its id or its name, and the sessions that it opened.
with revoked as (
    update rooftree.api_token set revoked_at = now()
    where
        (token_id = $1 or ($2 and name = $1)) and revoked_at is null
        and ($3::text[] is null or organizations <@ $3)
    returning token_id, name, role, organizations, created_at, created_by, expires_at, last_used_at, revoked_at
), ended as (
    delete from rooftree.session where token_id in (select token_id from revoked)
)
select * from revoked;

-- use_token --
-- A token that is good now; that it was used is written once a minute.
with found as (
    select token_id, name, role, organizations, created_at, created_by, expires_at, last_used_at, revoked_at
    from rooftree.api_token
    where digest = $1 and revoked_at is null and (expires_at is null or now() < expires_at)
), touched as (
    update rooftree.api_token as t set last_used_at = now()
    from found as f
    where t.token_id = f.token_id and (f.last_used_at is null or f.last_used_at < now() - interval '1 minute')
)
select * from found;

-- open_session --
-- Let a browser in, and forget sessions that are over.
with over as (
    delete from rooftree.session where expires_at <= now()
)
insert into rooftree.session (
    digest, kind, name, identity, role, organizations, token_id, proof, id_token, expires_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, least(now() + make_interval(secs => $10), $11));

-- use_session --
-- A session that is good now, as is the token that opened it; that it was used is written once a minute.
with found as (
    select s.digest, s.kind, s.name, s.identity, s.role, s.organizations, s.token_id, s.proof, s.id_token
    from rooftree.session as s
    left join rooftree.api_token as t using (token_id)
    where
        s.digest = $1 and now() < s.expires_at and now() < s.used_at + make_interval(secs => $2)
        and (s.token_id is null or (t.revoked_at is null and (t.expires_at is null or now() < t.expires_at)))
), touched as (
    update rooftree.session as s set used_at = now()
    from found as f
    where s.digest = f.digest and s.used_at < now() - least(interval '1 minute', make_interval(secs => $2 / 4))
)
select * from found;

-- end_session --
-- Let a browser out.
delete from rooftree.session where digest = $1;

-- log_access --
-- Write down what somebody does.
insert into rooftree.access_log (kind, name, identity, role, organizations, address, action, outcome, status, detail)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
returning entry_id;

-- finish_access --
-- Write down how it ended.
update rooftree.access_log set outcome = $2, status = $3, detail = $4 where entry_id = $1;

-- read_access_log --
-- What was done, the latest first, from before an entry.
select entry_id, time, kind, name, identity, role, organizations, address, action, outcome, status, detail
from rooftree.access_log
where entry_id < $1 and ($3::text[] is null or organizations <@ $3)
order by entry_id desc
limit $2;
