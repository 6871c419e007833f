-- read_verifications --
-- What the last verifications of an organization have found.
select organization_id, subject, verified_at, revision, part, checked, faults, fault
from rooftree.verification
where organization_id = $1
order by subject

-- read_verification_states --
-- How things stand with all organizations that were verified.
select subject, min(verified_at) as oldest, count(*) filter (where faults > 0) as failed
from rooftree.verification
group by subject
order by subject

-- keep_verification --
-- Write down what a verification has found, in the place of the one before.
insert into rooftree.verification (organization_id, subject, revision, part, checked, faults, fault)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (organization_id, subject) do update
set
    verified_at = now(), revision = excluded.revision, part = excluded.part, checked = excluded.checked,
    faults = excluded.faults, fault = excluded.fault
