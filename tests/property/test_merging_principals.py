from __future__ import annotations

from random import Random

from hypothesis import given
from tests.generators.algebra import TextAlgebra
from tests.generators.histories import Event, History, deliver, disorders, histories
from tests.generators.shelf import Shelf

from rooftree.authorization.surroundings import Surroundings
from rooftree.contracts import decode_change
from rooftree.organization.directory import Directory, Grants
from rooftree.organization.principal_export import named_documents, principals_document
from rooftree.organization.principal_facts import AccountPrincipals, principal_facts_of
from rooftree.view.watching import Watcher

ALGEBRA = TextAlgebra()


def principals_of(history: History, random: Random) -> Shelf:
    """What is stored after a history in which most changes are about principals, delivered in disorder."""
    shelf = Shelf(history.organization_id)
    view = shelf.load(ALGEBRA)
    for event in deliver(random, history.events):
        shelf.write(view.apply(decode_change(event.to_bytes())))
    return shelf


def told(grants: Grants) -> tuple[object, ...]:
    """What a row says of its principal, without what is missing."""
    principal = grants.principal
    return (
        principal.arn,
        principal.unique_id,
        tuple((policy.name, policy.arn, policy.group, policy.digest) for policy in grants.policies),
        grants.boundary and (grants.boundary.arn, grants.boundary.digest),
        principal.trust_policy,
        dict(principal.tags),
    )


@given(history=histories(changes=120, principals=60), random=disorders())
def test_principals_are_what_happened(history: History, random: Random) -> None:
    """Facts merged in disorder come to the principals of a plain program that saw everything in order."""
    shelf = principals_of(history, random)
    directory = shelf.load(ALGEBRA).principals.directory
    for account_id, roster in history.outcome.rosters.items():
        actual = {subject: told(grants) for subject, grants in directory.grants(account_id).items()}
        assert roster.expected() == actual


@given(history=histories(changes=120, principals=60), random=disorders())
def test_rows_of_principals_are_what_follows_from_the_facts(history: History, random: Random) -> None:
    """The rows that were written one by one are those that a directory made of the stored facts has."""
    shelf = principals_of(history, random)
    directory = Directory(shelf.principal_facts.values())
    expected = {
        (account_id, grants.principal.kind, grants.principal.name): grants
        for account_id in history.outcome.rosters
        for grants in directory.grants(account_id).values()
    }
    assert expected == {key: state.grants for key, state in shelf.principals.items()}


@given(history=histories(changes=120, principals=60), random=disorders())
def test_whatever_principals_name_is_stored_or_said_to_be_missing(history: History, random: Random) -> None:
    """Each document can be read back, and each that cannot is named."""
    shelf = principals_of(history, random)
    for state in shelf.principals.values():
        grants = state.grants
        policies = [*grants.policies, *([grants.boundary] if grants.boundary else [])]
        digests = {policy.digest for policy in policies if policy.digest is not None}
        assert digests <= shelf.principal_documents.keys()
        assert {policy.arn for policy in policies if policy.digest is None} <= set(grants.missing)


@given(history=histories(changes=120, principals=60), random=disorders())
def test_what_is_kept_lies_above_the_latest_snapshot(history: History, random: Random) -> None:
    """Stored registers do not grow with the number of snapshots."""
    shelf = principals_of(history, random)
    for account_id in history.outcome.rosters:
        facts = [fact for fact in shelf.principal_facts.values() if fact.account_id == account_id]
        snapshots = {fact.version for fact in facts if not fact.subject}
        assert len(snapshots) <= 1
        for floor in snapshots:
            assert all(floor <= fact.version for fact in facts)


@given(history=histories(changes=120, principals=40), random=disorders())
def test_probes_are_decided_as_they_would_be_now(history: History, random: Random) -> None:
    """Whenever each was decided last, in whatever order all came: nothing that has a say has changed since."""
    shelf = principals_of(history, random)
    view = shelf.load(ALGEBRA)
    watcher = Watcher(Surroundings(view.organization), view.principals.directory)
    assert history.outcome.probes == shelf.probes.keys()
    for name, state in shelf.probes.items():
        assert (view.organization.probe(name), watcher.find(state.probe)) == (state.probe, state.finding)


@given(history=histories(changes=120, principals=40), random=disorders())
def test_flips_lead_from_one_decision_to_the_next(history: History, random: Random) -> None:
    """Whoever follows the audit topic knows how each probe is decided, from when it was set."""
    shelf = Shelf(history.organization_id)
    view = shelf.load(ALGEBRA)
    told: dict[str, tuple[object, object]] = {}
    for event in deliver(random, history.events):
        patch = view.apply(decode_change(event.to_bytes()))
        flips: dict[str, dict[str, object]] = {
            flip["name"]: flip
            for audit in patch.audit
            for flip in audit.data.get("probes", ())  # type: ignore[attr-defined]
        }
        for state in patch.probes.states:
            name, flip = state.probe.name, flips.pop(state.probe.name, None)
            known = told.get(name)
            if flip is not None:
                assert known is not None
                assert (known, state.finding.decision) == ((state.probe, flip["before"]), flip["after"])
            told[name] = (state.probe, state.finding.decision)
        assert {} == flips


@given(history=histories(changes=80, principals=60), random=disorders())
def test_an_export_reads_as_the_same_principals(history: History, random: Random) -> None:
    """What is printed of an account can be published again and changes nothing."""
    shelf = principals_of(history, random)
    texts = {digest: record.content for digest, record in shelf.principal_documents.items()}
    for account_id in history.outcome.rosters:
        facts = [fact for fact in shelf.principal_facts.values() if fact.account_id == account_id]
        known = AccountPrincipals(account_id, facts)
        assert named_documents(known) <= texts.keys()
        document = principals_document(history.organization_id, known, texts)
        event = Event("export", "rooftree.principal.snapshot.v1", history.events[-1].time, "~", "arn:x", document)
        change = decode_change(event.to_bytes())
        again = AccountPrincipals(account_id, principal_facts_of(change))
        assert known.principals() == again.principals()
        assert {arn for arn, policy in known.policies().items() if policy.digest} == again.policies().keys()
