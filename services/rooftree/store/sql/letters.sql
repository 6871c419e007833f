-- list_letters --
-- Dead letters without their bytes, the oldest first.
select
    organization_id, letter_id, log_id, topic, partition_id as partition, record_offset as offset, record_time,
    octet_length(value) as size, reason, place, disposition, error_class, software_version, recorded_at,
    attempts, attempted_at, resolved_at, resolution
from rooftree.dead_letter
where
    ($1::text is null or organization_id = $1)
    and ($2::boolean or resolved_at is null)
    and letter_id > $3
order by letter_id
limit $4

-- latest_letters --
-- Dead letters of an organization without their bytes: those that wait go before the others, of each the latest first.
select
    organization_id, letter_id, log_id, topic, partition_id as partition, record_offset as offset, record_time,
    octet_length(value) as size, reason, place, disposition, error_class, software_version, recorded_at,
    attempts, attempted_at, resolved_at, resolution
from rooftree.dead_letter
where organization_id = $1
order by resolved_at is not null, letter_id desc
limit $2

-- letters_by_id --
-- Some dead letters without their bytes.
select
    organization_id, letter_id, log_id, topic, partition_id as partition, record_offset as offset, record_time,
    octet_length(value) as size, reason, place, disposition, error_class, software_version, recorded_at,
    attempts, attempted_at, resolved_at, resolution
from rooftree.dead_letter
where letter_id = any($1::bigint[])
order by letter_id

-- letter_record --
-- What came from the broker.
select record_offset, record_time, key, value, header_names, header_values
from rooftree.dead_letter
where letter_id = $1

-- organizations_with_losses --
-- The organizations whose view only a snapshot makes complete.
select organization_id, incomplete_reason
from rooftree.organization
where incomplete_by_loss
order by organization_id
