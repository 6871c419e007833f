from __future__ import annotations

import pytest
from tests.generators.algebra import TextAlgebra
from tests.generators.telling import ACCOUNT, DENY_LEAVING, ORGANIZATION, OU, POLICY, ROOT

from rooftree.organization.chains import (
    OWN_LEVEL,
    UNLIMITED_CHAIN,
    ChainRecord,
    LevelRecord,
    Levels,
    PolicyRecord,
    identify_chain,
)
from rooftree.organization.documents import Document, read_document
from rooftree.policy.document import PolicyKind
from rooftree.view.ceilings import SPARE_CHAINS, Ceilings
from rooftree.view.patch import DocumentRecord


def document() -> Document:
    """The document of the one policy here."""
    found = read_document(DENY_LEAVING, PolicyKind.SERVICE_CONTROL)
    assert found is not None
    return found


def chain(*nodes: str) -> ChainRecord:
    """A chain on whose nodes the one policy hangs."""
    policy = PolicyRecord(POLICY, "DenyLeaving", document().digest)
    return identify_chain((*(LevelRecord(node, (policy,)) for node in nodes), LevelRecord(OWN_LEVEL, (policy,))))


def empty() -> Ceilings:
    """No chains yet."""
    return Ceilings(ORGANIZATION, (), {}, TextAlgebra())


def test_a_chain_and_its_documents_are_news_once() -> None:
    """What was learnt before is not told again."""
    ceilings, documents = empty(), {document().digest: document()}
    assert ([chain(ROOT)], [DocumentRecord(document().digest, DENY_LEAVING)]) == ceilings.learn(chain(ROOT), documents)
    assert ([chain(ROOT, OU)], []) == ceilings.learn(chain(ROOT, OU), documents)
    assert ([], []) == ceilings.learn(chain(ROOT), documents)


def test_permissions_that_were_reported_are_those_of_the_place_where_the_account_was() -> None:
    """The chain that was reported last names the nodes; the algebra of these tests checks that the path fits them."""
    ceilings = empty()
    ceilings.learn(chain(ROOT, OU), {document().digest: document()})
    ceilings.learn(chain(ROOT), {document().digest: document()})
    now = ceilings.binding(chain(ROOT).chain_id, ACCOUNT, (ROOT,))
    reported = ceilings.reported_permissions(chain(ROOT, OU).chain_id, now)
    then = ceilings.binding(chain(ROOT, OU).chain_id, ACCOUNT, (ROOT, OU))
    before = ceilings.permissions(chain(ROOT, OU).chain_id, then)
    assert before.permissions_id == reported.permissions_id


def test_no_limit_is_the_same_everywhere() -> None:
    """Where nothing limits, the place does not matter."""
    ceilings = empty()
    ceilings.learn(UNLIMITED_CHAIN, {})
    chain_id = UNLIMITED_CHAIN.chain_id
    reported = ceilings.reported_permissions(chain_id, ceilings.binding(chain_id, ACCOUNT, (ROOT,)))
    assert "unlimited" == reported.permissions_id


@pytest.mark.parametrize("levels", [chain(ROOT).levels, None])
def test_an_account_is_in_the_partition_of_its_chain(levels: Levels | None) -> None:
    """What was reported in another partition than the account is known to be in now is taken as it was reported."""
    ceilings = empty()
    then, now = (identify_chain(levels, partition=partition) for partition in ("aws", "aws-us-gov"))
    for each in (then, now):
        ceilings.learn(each, {document().digest: document()})
    account = ceilings.binding(now.chain_id, ACCOUNT, (ROOT,))
    assert "aws-us-gov" == account.partition
    assert "aws" == ceilings.reported_binding(then.chain_id, account).partition
    assert account == ceilings.reported_binding(now.chain_id, account)


@pytest.mark.parametrize(
    ("ancestors", "expected"),
    [((ROOT,), f"{ORGANIZATION}/{ROOT}/"), ((ROOT, OU), f"{ORGANIZATION}/{ROOT}/{OU}/")],
)
def test_the_path_of_an_account_is_that_of_its_parent(ancestors: tuple[str, ...], expected: str) -> None:
    """As `aws:PrincipalOrgPaths` has it: from the organization down, with the slash at the end."""
    ceilings = empty()
    ceilings.learn(UNLIMITED_CHAIN, {})
    assert expected == ceilings.binding(UNLIMITED_CHAIN.chain_id, ACCOUNT, ancestors).organization_path


def test_chains_that_nobody_has_any_more_are_forgotten_in_time() -> None:
    """They are kept for a while, and those in use for ever."""
    ceilings, documents = empty(), {document().digest: document()}
    used = chain(ROOT)
    ceilings.learn(used, documents)
    for index in range(SPARE_CHAINS):
        ceilings.learn(chain(ROOT, f"ou-ab12-{index:08d}"), documents)
        ceilings.sweep([used.chain_id, None])
    assert ([], []) == ceilings.learn(used, documents)
    first = chain(ROOT, "ou-ab12-00000000")
    assert ([first], []) == ceilings.learn(first, documents)
