-- create_webhook --
-- Keep a subscription; unless all is wanted, it begins behind the latest event.
insert into rooftree.webhook (
    organization_id, webhook_id, url, secret, types, verdicts, account_ids, created_by, revision, part
)
select $1, $2, $3, $4, $5, $6, $7, $8, coalesce(e.revision, 0), coalesce(e.part, 0)
from (select) as one
left join lateral (
    select revision, part from rooftree.audit_event
    where organization_id = $1 and not $9
    order by revision desc, part desc
    limit 1
) as e on true;

-- list_webhooks --
-- Subscriptions of one organization or of all, without their secrets.
select
    w.organization_id, w.webhook_id, w.url, w.types, w.verdicts, w.account_ids, w.created_at, w.created_by,
    w.disabled_at, w.disabled_reason, w.revision, w.part, w.attempts, w.next_attempt_at, w.delivered_at, w.last_error,
    (
        select count(*) from rooftree.webhook_letter as l
        where l.organization_id = w.organization_id and l.webhook_id = w.webhook_id and l.delivered_at is null
    ) as waiting
from rooftree.webhook as w
where ($1::text[] is null or w.organization_id = any($1)) and ($2::text is null or w.webhook_id = $2)
order by w.organization_id, w.created_at, w.webhook_id;

-- sign_for_webhook --
-- The signature of a message by the key of a subscription.
select rooftree.sign_webhook($1, $2, $3);

-- remove_webhook --
-- Forget a subscription, with its letters.
delete from rooftree.webhook where organization_id = $1 and webhook_id = $2;

-- enable_webhook --
-- Go on with a subscription that was given up by its receiver.
update rooftree.webhook set disabled_at = null, disabled_reason = null, attempts = 0, next_attempt_at = now()
where organization_id = $1 and webhook_id = $2;

-- claim_webhooks --
-- Take subscriptions that have something to send, and that nobody else is at.
update rooftree.webhook as w
set lease = $1, leased_until = now() + make_interval(secs => $2)
where
    (w.organization_id, w.webhook_id) in (
        select d.organization_id, d.webhook_id
        from rooftree.webhook as d
        where
            d.disabled_at is null and d.next_attempt_at <= now()
            and (d.leased_until is null or d.leased_until <= now())
            and exists (
                select from rooftree.audit_event as e
                where e.organization_id = d.organization_id and (e.revision, e.part) > (d.revision, d.part)
            )
        order by d.next_attempt_at
        limit $3
        for update skip locked
    )
returning
    w.organization_id, w.webhook_id, w.url, w.types, w.verdicts, w.account_ids, w.created_at, w.created_by,
    w.disabled_at, w.disabled_reason, w.revision, w.part, w.attempts, w.next_attempt_at, w.delivered_at, w.last_error,
    0::bigint as waiting, w.secret;

-- advance_webhook --
-- Everything up to a position is done; the lease goes on.
update rooftree.webhook
set
    revision = $4, part = $5, attempts = 0, next_attempt_at = now(), leased_until = now() + make_interval(secs => $7),
    delivered_at = case when $6 then now() else delivered_at end,
    last_error = case when $6 then null else last_error end
where organization_id = $1 and webhook_id = $2 and lease = $3 and disabled_at is null
returning true;

-- postpone_webhook --
-- The next event was not accepted and is tried again later.
update rooftree.webhook
set attempts = $4, next_attempt_at = now() + make_interval(secs => $5), last_error = $6, lease = null, leased_until = null
where organization_id = $1 and webhook_id = $2 and lease = $3
returning true;

-- give_up_webhook --
-- The next event is put among the letters, and the one behind it is next.
with moved as (
    update rooftree.webhook
    set
        revision = $4, part = $5, attempts = 0, next_attempt_at = now(), last_error = $8,
        leased_until = now() + make_interval(secs => $9)
    where organization_id = $1 and webhook_id = $2 and lease = $3 and disabled_at is null
    returning organization_id, webhook_id
)
insert into rooftree.webhook_letter (organization_id, webhook_id, revision, part, event_id, attempts, reason)
select organization_id, webhook_id, $4, $5, $6, $7, $8 from moved
returning true;

-- disable_webhook --
-- Its receiver wants nothing more.
update rooftree.webhook
set disabled_at = now(), disabled_reason = $4, last_error = $4, lease = null, leased_until = null
where organization_id = $1 and webhook_id = $2 and lease = $3
returning true;

-- release_webhook --
-- Let others at it.
update rooftree.webhook set lease = null, leased_until = null
where organization_id = $1 and webhook_id = $2 and lease = $3
returning true;

-- list_webhook_letters --
-- Events that were given up, the oldest first.
select letter_id, organization_id, webhook_id, revision, part, event_id, attempts, reason, given_up_at, delivered_at
from rooftree.webhook_letter
where
    ($1::text[] is null or organization_id = any($1)) and ($2::text is null or webhook_id = $2)
    and ($3 or delivered_at is null) and ($4::bigint is null or letter_id = $4)
    and letter_id > $6
order by letter_id
limit $5;

-- webhook_events --
-- The audit events behind a position, in their order.
select organization_id, revision, part, parts, event_id, type, account_id, time, verdict, data, traceparent
from rooftree.audit_event
where organization_id = $1 and (revision, part) > ($2::bigint, $3::integer)
order by revision, part
limit $4;

-- webhook_event --
-- One audit event by its place.
select organization_id, revision, part, parts, event_id, type, account_id, time, verdict, data, traceparent
from rooftree.audit_event
where organization_id = $1 and revision = $2 and part = $3;

-- deliver_webhook_letter --
-- A replay was accepted.
update rooftree.webhook_letter set delivered_at = now() where organization_id = $1 and letter_id = $2;

-- organization_exists --
-- Tell whether an organization is known.
select exists (select from rooftree.organization where organization_id = $1);
