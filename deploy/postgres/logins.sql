-- The roles of the workers, and a login in each whose password the environment holds: PROJECTOR_PASSWORD, RELAY_PASSWORD,
-- RECONCILER_PASSWORD, WEBHOOKS_PASSWORD, API_PASSWORD, VERIFIER_PASSWORD. To be run by psql in the database of the
-- service, before the first `rooftree migrate` or at any time later, by somebody who may make roles; again to change a
-- password or to add a login.
\set ON_ERROR_STOP on
\set QUIET on
\set projector ''
\set relay ''
\set reconciler ''
\set webhooks ''
\set api ''
\set verifier ''
\getenv projector PROJECTOR_PASSWORD
\getenv relay RELAY_PASSWORD
\getenv reconciler RECONCILER_PASSWORD
\getenv webhooks WEBHOOKS_PASSWORD
\getenv api API_PASSWORD
\getenv verifier VERIFIER_PASSWORD

begin;
create temporary table login on commit drop as
select worker, password
from (
    values
        ('projector', :'projector'), ('relay', :'relay'), ('reconciler', :'reconciler'),
        ('webhooks', :'webhooks'), ('api', :'api'), ('verifier', :'verifier')
) as given (worker, password);

select format('create role rooftree_%s nologin', role)
from (select worker from login union all select 'reader') as wanted (role)
where not exists (select from pg_roles where rolname = 'rooftree_' || role)
\gexec
-- The API reads for people as rooftree_reader, and the owner of the database lets it.
select format('grant rooftree_reader to %I', member)
from (select 'rooftree_api' union all select pg_get_userbyid(datdba) from pg_database where datname = current_database()) as wanted (member)
where not pg_has_role(member, 'rooftree_reader', 'member')
\gexec
select format('create role app_%1$s login in role rooftree_%1$s', worker)
from login
where password <> '' and not exists (select from pg_roles where rolname = 'app_' || worker)
\gexec
select format('alter role app_%s password %L', worker, password) from login where password <> ''
\gexec
select 'app_' || worker as login, case password when '' then 'left as it is: no password was given' else 'may log in' end as result from login;
commit;
