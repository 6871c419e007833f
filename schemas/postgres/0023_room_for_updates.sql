-- A change at the root writes every row of the view anew, and each row of the history is altered once, when it ends: with
-- room for that on its page no index has to be told. And that a span ends sooner is no reason to look at its neighbours.

alter table rooftree.account set (fillfactor = 45);
alter table rooftree.account_history set (fillfactor = 50);

create or replace function rooftree.keep_spans_apart() returns trigger
language plpgsql
-- A plan that was made while there was little would go through all of it for each row later.
set enable_seqscan = off
set enable_sort = off
set enable_nestloop = off
set enable_mergejoin = off
as $$
declare
    wrong record;
begin
    if tg_op = 'UPDATE' then
        -- A span that ends sooner than it did overlaps with nothing that it did not overlap with before.
        perform
        from written as w
        left join before as b
            on b.organization_id = w.organization_id and b.account_id = w.account_id and b.valid_from = w.valid_from
        where
            b.account_id is null
            or w.valid_to < w.valid_from
            or coalesce(w.valid_to, 'infinity') > coalesce(b.valid_to, 'infinity');
        if not found then
            return null;
        end if;
    end if;
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception using
            errcode = 'feature_not_supported',
            message = 'account_history is written at the isolation level read committed alone',
            detail = 'At any other, what was written meanwhile would not be seen.';
    end if;
    -- INVARIANT: who has written spans of an organization keeps others from it until the end of the transaction. So what
    -- the statement below does not see is not there.
    perform pg_advisory_xact_lock(hashtextextended('rooftree.account_history:' || organization_id, 0))
    from (select distinct organization_id from written) as organizations
    order by organization_id;

    select w.organization_id, w.account_id, w.valid_from into wrong
    from written as w
    left join lateral (
        select h.valid_from, h.valid_to
        from rooftree.account_history as h
        where h.organization_id = w.organization_id and h.account_id = w.account_id and h.valid_from < w.valid_from
        order by h.valid_from desc
        limit 1
    ) as earlier on true
    left join lateral (
        select h.valid_from
        from rooftree.account_history as h
        where h.organization_id = w.organization_id and h.account_id = w.account_id and h.valid_from > w.valid_from
        order by h.valid_from
        limit 1
    ) as later on true
    where
        w.valid_to < w.valid_from
        or (earlier.valid_from is not null and coalesce(earlier.valid_to, 'infinity') > w.valid_from)
        or (later.valid_from is not null and coalesce(w.valid_to, 'infinity') > later.valid_from)
    limit 1;
    if found then
        raise exception using
            errcode = 'exclusion_violation',
            message = format('spans of account %s of %s overlap at %s', wrong.account_id, wrong.organization_id, wrong.valid_from),
            schema = 'rooftree', table = 'account_history', constraint = 'account_history_one_row_at_a_time';
    end if;
    return null;
end
$$;
create or replace trigger account_history_spans_updated
    after update on rooftree.account_history
    referencing old table as before new table as written
    for each statement execute function rooftree.keep_spans_apart();
