-- read_permission_set --
-- The summary of a set of maximum permissions.
select permissions from rooftree.permission_set where organization_id = $1 and permissions_id = $2;

-- read_chains --
-- Chains by their ids.
select chain_id, levels from rooftree.chain where organization_id = $1 and chain_id = any($2::text[]);

-- read_documents --
-- Policy documents by their digests.
select digest, content from rooftree.policy_document where organization_id = $1 and digest = any($2::text[]);

-- read_names --
-- The names of organizational units and policies.
select subject, value
from rooftree.fact
where organization_id = $1 and kind = any(array['ou', 'policy']) and attribute = 'name' and jsonb_typeof(value) = 'string';
