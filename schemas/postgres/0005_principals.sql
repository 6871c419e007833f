-- The users, groups and roles of accounts, and the policies that they have.
-- INVARIANT: organization_id is the first column of every primary key, so that rows can be spread by organization.

create table rooftree.principal_fact (
    organization_id text not null,
    account_id text not null,
    subject text not null,
    attribute text not null,
    value jsonb not null,
    time timestamptz not null,
    sequence text not null,
    rank smallint not null,
    event_id text not null,
    primary key (organization_id, account_id, subject, attribute)
);
comment on table rooftree.principal_fact is 'Registers in which the last writer wins, by account; the rows of principals follow from them';
comment on column rooftree.principal_fact.subject is 'user/NAME, group/NAME, role/NAME or policy/ARN; empty for a snapshot, whose value is its text';
comment on column rooftree.principal_fact.attribute is 'Of a snapshot, which one and which part of it; older ones are deleted once all parts of a later one are there';

create table rooftree.principal_document (
    organization_id text not null,
    digest text not null,
    content text not null,
    primary key (organization_id, digest)
);
comment on table rooftree.principal_document is 'The canonical text of each policy that principals have or had, trust policies included';

create table rooftree.principal (
    organization_id text not null,
    account_id text not null,
    kind text not null check (kind in ('user', 'group', 'role')),
    name text not null,
    arn text not null,
    unique_id text,
    groups text[] not null,
    policies jsonb not null,
    boundary jsonb,
    trust_digest text,
    tags jsonb not null,
    missing text[] not null,
    reported jsonb,
    since timestamptz not null,
    cause_event_id text not null,
    primary key (organization_id, account_id, kind, name)
);
comment on table rooftree.principal is 'One row a principal, of accounts that are in the organization or were';
comment on column rooftree.principal.policies is 'Its identity-based policies, those of its groups included: {name, arn, group, digest}, arn null for an inline policy, group null for one of its own';
comment on column rooftree.principal.boundary is 'The permissions boundary as {name, arn, group, digest}';
comment on column rooftree.principal.missing is 'ARNs of policies whose document is not known, and group/NAME for groups that are not';
comment on column rooftree.principal.reported is 'While something is missing: the policies and the boundary that were reported last, as {policies, boundary}';
create index principal_reported on rooftree.principal (organization_id) where reported is not null;

create view rooftree.principals as
select
    p.organization_id,
    p.account_id,
    a.name as account_name,
    p.arn,
    p.kind,
    p.name,
    p.unique_id,
    p.groups,
    p.boundary ->> 'arn' as permissions_boundary,
    t.content::jsonb as trust_policy,
    p.tags,
    p.missing,
    p.since,
    p.cause_event_id
from rooftree.principal as p
join rooftree.account as a using (organization_id, account_id)
left join rooftree.principal_document as t on t.organization_id = p.organization_id and t.digest = p.trust_digest;
comment on view rooftree.principals is 'The users, groups and roles of the accounts of each organization now';

create view rooftree.principal_policies as
select
    p.organization_id,
    p.account_id,
    p.arn,
    e.use,
    e.policy ->> 'name' as policy_name,
    e.policy ->> 'arn' as policy_arn,
    e.policy ->> 'group' as group_name,
    d.content::jsonb as document
from rooftree.principal as p
join rooftree.account as a using (organization_id, account_id)
cross join lateral (
    select 'identity' as use, value as policy from jsonb_array_elements(p.policies)
    union all
    select 'boundary', p.boundary where p.boundary is not null
) as e
left join rooftree.principal_document as d on d.organization_id = p.organization_id and d.digest = e.policy ->> 'digest';
comment on view rooftree.principal_policies is 'One row for each policy of each principal: identity for what it grants or denies, boundary for what caps that';
