"""
Things happen, and are delivered whenever, in any order, again and again, to a view that is stored and loaded at will.
"""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.generators.histories import PARTITIONS, Event, Historian
from tests.generators.probing import PROBES, Bound, chains, check_witnesses, decide
from tests.generators.shelf import Shelf
from tests.property.rows import columns, expected_levels, stored_levels

from rooftree import permissions
from rooftree.contracts import decode_change
from rooftree.policy.evaluate import Decision
from rooftree.view.audit import AuditType, seal
from rooftree.view.patch import GENESIS, Patch
from rooftree.view.projection import OrganizationView

SEEDS = st.integers(0, 2**32)
ORGANIZATION = "o-exampleorg"

HAPPENINGS = (
    *(Historian.move_account, Historian.attach, Historian.detach, Historian.update_policy, Historian.create_policy),
    *(Historian.create_account, Historian.remove_account, Historian.close_account, Historian.rename_account),
    *(Historian.create_unit, Historian.delete_unit, Historian.rename_unit, Historian.delete_policy),
    *(Historian.enable_type, Historian.disable_type, Historian.take_snapshot),
)


class Merging(RuleBasedStateMachine):
    """
    An organization, a network without manners, and a view.

    Attributes:
        undelivered: What has happened but was not told yet.
        delivered: What was told, in the order of telling, repetitions included.
        reported: The chain under which consumers know each account.
    """

    def __init__(self) -> None:
        super().__init__()
        self.historian = Historian(Random(0), ORGANIZATION)
        self.undelivered: list[Event] = []
        self.delivered: list[Event] = []
        self.shelf = Shelf(ORGANIZATION)
        self.view = self.shelf.load(permissions)
        self.reported: dict[str, Bound] = {}

    @initialize(seed=SEEDS, partition=PARTITIONS)
    def begin(self, seed: int, partition: str) -> None:
        """
        Found the organization.
        """
        self.historian.random = Random(seed)
        self.historian.model.partition = partition
        self.historian.begin(units=2, accounts=2, policies=2)
        self.undelivered += self.historian.events

    @rule(seed=SEEDS, happening=st.sampled_from(HAPPENINGS))
    def happen(self, seed: int, happening: object) -> None:
        """
        Let something happen, of which nobody is told yet.
        """
        assert callable(happening)
        known = len(self.historian.events)
        self.historian.random = Random(seed)
        happening(self.historian)
        self.undelivered += self.historian.events[known:]

    @precondition(lambda self: self.undelivered)
    @rule(seed=SEEDS)
    def deliver(self, seed: int) -> None:
        """
        Tell something that has happened, not always what came first.
        """
        self.take_in(self.undelivered.pop(Random(seed).randrange(len(self.undelivered))))

    @precondition(lambda self: self.delivered)
    @rule(seed=SEEDS)
    def deliver_again(self, seed: int) -> None:
        """
        Tell what was told before: nothing comes of it.
        """
        facts = dict(self.shelf.facts)
        patch = self.take_in(Random(seed).choice(self.delivered))

        assert Patch(ORGANIZATION, self.view.position) == patch
        assert facts == self.shelf.facts

    @precondition(lambda self: self.undelivered)
    @rule(seed=SEEDS)
    def catch_up(self, seed: int) -> None:
        """
        Tell everything, in any order: the view is what a plain program says that saw all of it in order.
        """
        pending, self.undelivered = self.undelivered, []
        Random(seed).shuffle(pending)
        for event in pending:
            self.take_in(event)
        self.compare_with_model()

    @rule()
    def load_anew(self) -> None:
        """
        Forget the view and load what was stored.
        """
        self.view = self.shelf.load(permissions)

    @invariant()
    def order_and_repetition_leave_no_trace(self) -> None:
        """
        The same events in their own order, each once, make the same facts and the same rows.
        """
        fresh = OrganizationView.load(ORGANIZATION)
        for event in sorted(set(map(_sortable, self.delivered))):
            fresh.apply(decode_change(event[-1]))
        expected = {account_id: columns(row) for account_id, row in fresh.accounts.items()}

        assert {fact.key: fact for fact in fresh.organization.registers} == self.shelf.facts
        assert expected == {account_id: columns(row) for account_id, row in self.view.accounts.items()}

    @invariant()
    def audit_events_are_a_sealed_sequence(self) -> None:
        """
        Each follows the one before, and no two have one id.
        """
        chain_hash, place = GENESIS, (0, 0, 0)
        for audit in self.shelf.audit:
            revision, part, parts = place
            assert (audit.revision, audit.part) == ((revision, part + 1) if part < parts else (revision + 1, 1))
            assert {"previous": chain_hash, "this": seal(chain_hash, audit.data)} == audit.data["chain_hash"]
            chain_hash, place = seal(chain_hash, audit.data), (audit.revision, audit.part, audit.parts)

        assert place[1] == place[2]
        assert chain_hash == self.view.position.chain_hash
        assert len({audit.event_id for audit in self.shelf.audit}) == len(self.shelf.audit)

    def take_in(self, event: Event) -> Patch:
        """
        Apply and store an event; what is told of it is what has changed since consumers were told last.
        """
        patch = self.view.apply(decode_change(event.to_bytes()))
        self.shelf.write(patch)
        self.delivered.append(event)
        for departure in patch.departed:
            self.reported.pop(departure.account_id, None)
        after = chains(self.shelf)
        told = {audit.account_id or "": audit.data for audit in patch.audit if audit.type == AuditType.DECISION_CHANGED}
        for account_id, data in told.items():
            check_witnesses(data, self.reported[account_id], after[account_id])
        for account_id in self.reported.keys() & after.keys() - told.keys():
            for probe in PROBES:
                before, now = (
                    decide(bound, probe) is Decision.ALLOW for bound in (self.reported[account_id], after[account_id])
                )
                assert before is now
        self.reported |= after
        return patch

    def compare_with_model(self) -> None:
        """
        Compare the view with the plain program.
        """
        model = self.historian.model
        assert set(model.accounts) == set(self.view.accounts)
        for account_id, account in model.accounts.items():
            row = self.view.accounts[account_id]
            assert (account.name, account.email, account.status) == (row.name, row.email, row.status)
            assert (True, model.path(account_id)) == (row.placed, row.path)
            assert expected_levels(model, account_id) == stored_levels(self.shelf.chains[row.chain_id or ""])
        if any(_tells_partition(event) for event in self.delivered):
            told = {self.shelf.chains[row.chain_id or ""].partition for row in self.view.accounts.values()}
            assert told <= {model.partition}


def _tells_partition(event: Event) -> bool:
    organization = event.data.get("organization")
    return isinstance(organization, dict) and "partition" in organization


def _sortable(event: Event) -> tuple[str, bytes]:
    return event.sequence, event.to_bytes()


TestMerging = Merging.TestCase
TestMerging.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
