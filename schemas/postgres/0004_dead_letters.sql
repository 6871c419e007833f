-- What becomes of dead letters: each waits until it was replayed with success, or until a snapshot has told anew what it missed.

alter table rooftree.dead_letter
    add column attempts integer not null default 1,
    add column attempted_at timestamptz,
    add column resolved_at timestamptz,
    add column resolution text check (resolution in ('replayed', 'snapshot')),
    add constraint dead_letter_resolved_somehow check ((resolved_at is null) = (resolution is null));
create index dead_letter_open on rooftree.dead_letter (organization_id, record_offset) where resolved_at is null;
create unique index dead_letter_by_id on rooftree.dead_letter (letter_id);
comment on column rooftree.dead_letter.attempts is 'How often it was tried to process it';
comment on column rooftree.dead_letter.attempted_at is 'When it was last tried again; reason, place, disposition and error_class are of that attempt';
comment on column rooftree.dead_letter.resolved_at is 'Since when its organization does not miss it any more; null while it waits';
comment on column rooftree.dead_letter.resolution is 'replayed: it was processed; snapshot: a later snapshot said all that it could have said';

alter table rooftree.organization add column incomplete_by_loss boolean not null default false;
comment on column rooftree.organization.incomplete_by_loss is 'Whether records were lost, so that no replay but only a snapshot makes the view complete';

-- Until now a snapshot was the only way to a complete view, and a loss the only way to an incomplete one without letters.
update rooftree.dead_letter as d
set resolved_at = now(), resolution = 'snapshot'
from rooftree.organization as o
where o.organization_id = d.organization_id and o.incomplete_since is null;

update rooftree.organization as o
set incomplete_by_loss = true
where
    o.incomplete_since is not null
    and not exists (select from rooftree.dead_letter as d where d.organization_id = o.organization_id);
