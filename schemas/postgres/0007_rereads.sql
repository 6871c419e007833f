-- What is to be read anew by the API of AWS, since an event did not tell enough of it.

create table rooftree.reread (
    organization_id text not null,
    kind text not null,
    object_id text not null,
    reason text not null,
    doubtful boolean not null,
    since timestamptz not null,
    asked_at timestamptz not null,
    source text not null,
    event_id text not null,
    recorded_at timestamptz not null default now(),
    primary key (organization_id, kind, object_id)
);
comment on table rooftree.reread is 'One row an object that is to be read anew; gone once an answer or a snapshot of a later time was processed';
comment on column rooftree.reread.kind is 'organization, account, ou, policy, attachments, targets, principals or principal';
comment on column rooftree.reread.object_id is 'Of attachments the node, of targets the policy, of principals the account, of a principal ACCOUNT/KIND/NAME or ACCOUNT/policy/ARN';
comment on column rooftree.reread.doubtful is 'Whether decisions may be wrong until then; the organization is marked incomplete as long as there is such a row';
comment on column rooftree.reread.since is 'When it was first asked for, by the time of the event';
comment on column rooftree.reread.asked_at is 'When it was last asked for: what is read must be of a later time';
comment on column rooftree.reread.event_id is 'The event that asked last, unique for its source';

create view rooftree.rereads as
select organization_id, kind, object_id, reason, doubtful, since, asked_at, source, event_id, recorded_at
from rooftree.reread;
comment on view rooftree.rereads is 'What waits for being read anew by the API of AWS';

-- Events of AWS name an account and seldom its organization.
create index fact_by_account on rooftree.fact (subject)
where kind = 'account' and attribute in ('present', 'observed');
