-- Since when a document of a policy has bound somebody, without reading the history of every account.
drop index concurrently if exists rooftree.account_history_by_chain;
create index concurrently account_history_by_chain on rooftree.account_history (organization_id, chain_id, valid_from);
