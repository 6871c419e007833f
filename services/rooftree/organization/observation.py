"""
What AWS itself has said about an organization, all of it or some objects.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rooftree.organization.documents import AUTHORIZING_TYPES, BUILTIN_POLICIES
from rooftree.organization.snapshot import Snapshot, SnapshotAccount, SnapshotPolicy, SnapshotUnit
from rooftree.policy.builtin import RCP_FULL_AWS_ACCESS_ID

__all__ = ["Observation"]


@dataclass(frozen=True, slots=True)
class Observation:
    """
    What was seen, each object by its id; None for one that AWS says does not exist.

    Attributes:
        moment: As of when this counts; AWS may have known better only of what happened later.
        whole: Whether what is not named does not exist.
        policy_types: The types that are enabled; None if that was not asked.
        attached: By node, the policies that hang on it, of those that decide something.
        targets: By policy, the nodes that it hangs on.
    """

    moment: datetime
    whole: bool = False
    policy_types: frozenset[str] | None = None
    units: Mapping[str, SnapshotUnit | None] = field(default_factory=dict)
    accounts: Mapping[str, SnapshotAccount | None] = field(default_factory=dict)
    policies: Mapping[str, SnapshotPolicy | None] = field(default_factory=dict)
    attached: Mapping[str, frozenset[str]] = field(default_factory=dict)
    targets: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot, moment: datetime) -> Observation:
        """
        Return what a snapshot says about everything.
        """
        types = {policy.id: policy.type for policy in snapshot.policies}
        types |= {policy_id: policy.type for policy_id, policy in BUILTIN_POLICIES.items()}
        attached: defaultdict[str, set[str]] = defaultdict(set)
        for hanging in snapshot.attachments:
            is_given = hanging.policy_id != RCP_FULL_AWS_ACCESS_ID and types[hanging.policy_id] in snapshot.policy_types
            if is_given and types[hanging.policy_id] in AUTHORIZING_TYPES:
                attached[hanging.target_id].add(hanging.policy_id)
        nodes = [snapshot.root_id]
        nodes += [unit.id for unit in snapshot.organizational_units]
        nodes += [account.id for account in snapshot.accounts]
        return cls(
            moment,
            whole=True,
            policy_types=frozenset(snapshot.policy_types),
            units={unit.id: unit for unit in snapshot.organizational_units},
            accounts={account.id: account for account in snapshot.accounts},
            policies={policy.id: policy for policy in snapshot.policies},
            attached={node_id: frozenset(attached[node_id]) for node_id in nodes},
        )
