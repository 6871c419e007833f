from __future__ import annotations

from collections.abc import Iterable
from random import Random

from hypothesis import HealthCheck, given, settings
from tests.generators.algebra import TextAlgebra
from tests.generators.histories import Event, History, deliver, disorders, histories
from tests.generators.shelf import Shelf
from tests.property.rows import columns, expected_levels, stored_levels

from rooftree.contracts import decode_change
from rooftree.organization.changes import SnapshotTaken
from rooftree.organization.export import take_snapshot
from rooftree.organization.snapshot_reader import parse_snapshot
from rooftree.view.audit import seal
from rooftree.view.patch import GENESIS, Patch
from rooftree.view.projection import OrganizationView

ALGEBRA = TextAlgebra()

PROFILE = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])


def fold(organization_id: str, events: Iterable[Event]) -> OrganizationView:
    """The view after some events, from nothing."""
    view = OrganizationView.load(organization_id, algebra=ALGEBRA)
    for event in events:
        view.apply(decode_change(event.to_bytes()))
    return view


def rows(view: OrganizationView) -> dict[str, tuple[object, ...]]:
    """The columns of every row."""
    return {account_id: columns(row) for account_id, row in view.accounts.items()}


def snapshot_of(history: History) -> Event:
    """A snapshot that tells the end of a history, behind its last event."""
    model = history.outcome
    if model.management_account_id is None:
        model.management_account_id = "999999999999"
    return Event(
        "snapshot", "rooftree.organization.snapshot.v1", history.events[-1].time, "~", "arn:x", model.snapshot()
    )


@PROFILE
@given(history=histories(), random=disorders())
def test_any_order_and_any_repetition_end_in_the_same_view(history: History, random: Random) -> None:
    """A shuffled and doubled history gives the same facts and the same rows as the history itself."""
    expected = fold(history.organization_id, history.events)
    actual = fold(history.organization_id, deliver(random, history.events))
    assert {fact.key: fact for fact in expected.organization.registers} == {
        fact.key: fact for fact in actual.organization.registers
    }
    assert {fact.key: fact for fact in expected.principals.directory} == {
        fact.key: fact for fact in actual.principals.directory
    }
    assert rows(expected) == rows(actual)


@PROFILE
@given(history=histories(), random=disorders())
def test_the_view_is_what_happened(history: History, random: Random) -> None:
    """Facts merged in disorder come to the state of a plain program that saw everything in order."""
    view = fold(history.organization_id, deliver(random, history.events))
    model = history.outcome
    assert set(model.accounts) == set(view.accounts)
    for account_id, account in model.accounts.items():
        row = view.accounts[account_id]
        assert (account.name, account.email, account.status) == (row.name, row.email, row.status)
        assert (True, model.path(account_id)) == (row.placed, row.path)


@PROFILE
@given(history=histories(), random=disorders())
def test_each_chain_is_what_hangs_above_the_account(history: History, random: Random) -> None:
    """Levels, policies and documents are those of a plain program that saw everything in order."""
    shelf = Shelf(history.organization_id)
    view = shelf.load(ALGEBRA)
    for event in deliver(random, history.events):
        shelf.write(view.apply(decode_change(event.to_bytes())))
    for account_id, row in view.accounts.items():
        assert expected_levels(history.outcome, account_id) == stored_levels(shelf.chains[row.chain_id or ""])


@PROFILE
@given(history=histories(), random=disorders())
def test_a_view_that_is_stored_and_loaded_goes_on_as_if_it_had_stayed(history: History, random: Random) -> None:
    """Whatever is loaded between two changes, every patch is the same to the last audit event."""
    shelf = Shelf(history.organization_id)
    stayed = shelf.load(ALGEBRA)
    for event in deliver(random, history.events):
        change = decode_change(event.to_bytes())
        expected = stayed.apply(change)
        actual = shelf.load(ALGEBRA).apply(change)
        assert bare(expected) == bare(actual)
        shelf.write(actual)


def bare(patch: Patch) -> tuple[object, ...]:
    """A patch without chains, documents and verdicts that a loaded view cannot know to be stored."""
    return (patch.facts, patch.accounts, patch.departed, patch.audit, patch.position, patch.principals)


@PROFILE
@given(history=histories(), random=disorders())
def test_whatever_rows_refer_to_is_stored(history: History, random: Random) -> None:
    """Chains, documents and permission sets of the rows of every moment are in the patches up to it."""
    shelf = Shelf(history.organization_id)
    view = shelf.load(ALGEBRA)
    for event in deliver(random, history.events):
        patch = view.apply(decode_change(event.to_bytes()))
        shelf.write(patch)
        named = {row.permissions_id for row in patch.accounts if row.permissions_id is not None}
        assert named == {state.permissions_id for state in patch.permission_sets}
    for row in shelf.history:
        if row.placed:
            assert row.permissions_id in shelf.permission_sets
            levels = shelf.chains[row.chain_id or ""].levels or ()
            assert {policy.digest for level in levels for policy in level.policies} <= shelf.documents.keys()


@PROFILE
@given(history=histories(), random=disorders())
def test_a_history_told_again_does_nothing(history: History, random: Random) -> None:
    """Events that the view holds already write nothing at all."""
    view = fold(history.organization_id, history.events)
    for event in deliver(random, history.events):
        patch = view.apply(decode_change(event.to_bytes()))
        assert patch == Patch(history.organization_id, view.position)


@PROFILE
@given(history=histories(), random=disorders())
def test_audit_events_are_a_sealed_sequence_without_gaps(history: History, random: Random) -> None:
    """Revisions and parts are contiguous, ids are unique, and each event seals the one before."""
    shelf = Shelf(history.organization_id)
    view = shelf.load(ALGEBRA)
    for event in deliver(random, history.events):
        shelf.write(view.apply(decode_change(event.to_bytes())))
    revision, part, parts, chain_hash = 0, 1, 1, GENESIS
    for audit in shelf.audit:
        expected = (revision, part + 1, parts) if part < parts else (revision + 1, 1, audit.parts)
        assert expected == (audit.revision, audit.part, audit.parts)
        this = seal(chain_hash, audit.data)
        assert {"previous": chain_hash, "this": this} == audit.data["chain_hash"]
        revision, part, parts, chain_hash = audit.revision, audit.part, audit.parts, this
    assert part == parts
    assert (revision, chain_hash) == (view.position.revision, view.position.chain_hash)
    assert len({audit.event_id for audit in shelf.audit}) == len(shelf.audit)


@PROFILE
@given(history=histories(), random=disorders())
def test_each_change_of_permissions_is_told_once_and_nothing_else_is(history: History, random: Random) -> None:
    """Audit events link the permissions that consumers were told of last to those of the row, account by account."""
    view = OrganizationView.load(history.organization_id, algebra=ALGEBRA)
    told: dict[str, object] = {}
    for event in deliver(random, history.events):
        patch = view.apply(decode_change(event.to_bytes()))
        for departure in patch.departed:
            told.pop(departure.account_id, None)
        for audit in (audit for audit in patch.audit if audit.type == "rooftree.decision.changed.v1"):
            (change,) = audit.data["changes"]  # type: ignore[misc, attr-defined]
            assert told[audit.account_id or ""] == change["before"]
            told[audit.account_id or ""] = change["after"]
        for row in patch.accounts:
            if row.placed:
                assert told.setdefault(row.account_id, row.permissions_id) == row.permissions_id


@PROFILE
@given(history=histories())
def test_a_snapshot_of_what_is_known_changes_nothing(history: History) -> None:
    """Reconciliation with the truth finds nothing where nothing was lost."""
    view = fold(history.organization_id, history.events)
    history.outcome.partition = view.organization.partition
    told = snapshot_of(history)
    expected = rows(view)
    patch = view.apply(decode_change(told.to_bytes()))
    assert patch.audit == ()
    assert expected == rows(view)


@PROFILE
@given(history=histories(), random=disorders())
def test_a_snapshot_finds_all_that_was_lost(history: History, random: Random) -> None:
    """Whatever events never came, a snapshot at the end makes the view what it would have been."""
    kept = [event for event in history.events if random.random() < 0.5]
    told = snapshot_of(history)
    expected = fold(history.organization_id, [*history.events, told])
    actual = fold(history.organization_id, deliver(random, [*kept, told]))
    assert rows(expected) == rows(actual)


@PROFILE
@given(history=histories())
def test_an_exported_snapshot_is_the_same_organization(history: History) -> None:
    """Whatever is exported reads back as an organization with the same rows."""
    told = snapshot_of(history)
    view = fold(history.organization_id, [*history.events, told])
    snapshot = take_snapshot(view.organization)
    assert snapshot == parse_snapshot(snapshot.to_json())
    change = decode_change(told.to_bytes())
    exported = OrganizationView.load(history.organization_id, algebra=ALGEBRA)
    exported.apply(
        type(change)(
            event_id="exported",
            source="export",
            type=change.type,
            time=change.time,
            sequence="",
            organization_id=history.organization_id,
            actor=None,
            data=SnapshotTaken(snapshot),
        )
    )
    assert rows(view) == rows(exported)
