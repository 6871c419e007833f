-- load_rereads --
-- What is to be read anew of an organization, the longest asked for first.
select kind, object_id, reason, doubtful, since, asked_at, source, event_id
from rooftree.reread
where organization_id = $1
order by recorded_at, kind, object_id

-- read_rereads --
-- The same from after one, by the time of the event that asked.
select organization_id, kind, object_id, reason, doubtful, since, asked_at, source, event_id
from rooftree.reread
where organization_id = $1 and (since, kind, object_id) > ($2::timestamptz, $3::text, $4::text)
order by since, kind, object_id
limit $5

-- save_rereads --
-- Insert or overwrite requests.
insert into rooftree.reread (
    organization_id, kind, object_id, reason, doubtful, since, asked_at, source, event_id
)
select $1, r.kind, r.object_id, r.reason, r.doubtful, r.since, r.asked_at, r.source, r.event_id
from unnest(
    $2::text[], $3::text[], $4::text[], $5::boolean[], $6::timestamptz[], $7::timestamptz[], $8::text[], $9::text[]
) as r (kind, object_id, reason, doubtful, since, asked_at, source, event_id)
on conflict (organization_id, kind, object_id) do update
set
    reason = excluded.reason, doubtful = excluded.doubtful, since = excluded.since, asked_at = excluded.asked_at,
    source = excluded.source, event_id = excluded.event_id

-- remove_rereads --
-- Delete requests.
delete from rooftree.reread as r
using unnest($2::text[], $3::text[]) as g (kind, object_id)
where r.organization_id = $1 and r.kind = g.kind and r.object_id = g.object_id
