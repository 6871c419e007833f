"""
What accounts may do at most: all of it, one decision, and the accounts that a request is open to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rooftree.inquiry.progress import Progress, unseen
from rooftree.inquiry.question import Answer, Question, Ruling, Values
from rooftree.inquiry.sources import OrganizationSource
from rooftree.inquiry.standing import Standing
from rooftree.permissions import AccountBinding, Permissions
from rooftree.policy.evaluate import Decision
from rooftree.view.ceilings import Ceilings

__all__ = ["Admission", "Admitted", "check", "find_maximum", "heading", "join_admissions", "who_can"]


@dataclass(frozen=True, slots=True)
class Admitted:
    """
    An account that lets a request through.

    Attributes:
        assumed: Keys that AWS always sends, that its policies ask for and that the question left open.
    """

    account: Standing
    assumed: Mapping[str, Values]


@dataclass(frozen=True, slots=True)
class Admission:
    """
    To whom a request is open.

    Attributes:
        count: How many accounts were asked.
        unplaced: Accounts for which it is not known, since their place in the organization is not.
    """

    admitted: Sequence[Admitted]
    unplaced: Sequence[Standing]
    count: int

    @property
    def document(self) -> dict[str, object]:
        """
        The same as JSON.
        """
        return {
            "accounts": [{**heading(each.account), "assumed": dict(each.assumed)} for each in self.admitted],
            "unplaced": [account.account_id for account in self.unplaced],
        }


async def find_maximum(source: OrganizationSource, account: Standing) -> tuple[Permissions, AccountBinding]:
    """
    Return what an account may do at most, which it may share with others, and what it fixes itself.

    Raises:
        InputError: Its place in the organization is not known.
        UnavailableError: The database does not answer.
    """
    ceilings = await source.ceilings([account])
    bound = account.bound(ceilings)
    return ceilings.permissions(account.placed_chain_id, bound), bound


async def check(source: OrganizationSource, account: Standing, question: Question) -> Answer:
    """
    Decide one request of an account.

    Raises:
        InputError: Its place in the organization is not known, or the question gives a key another value than the
            account has.
        UnavailableError: The database does not answer.
    """
    ceilings = await source.ceilings([account])
    chain_id, bound = account.placed_chain_id, account.bound(ceilings)
    answer = question.ask(bound, ceilings.chain(chain_id, account.account_id))
    decision = question.put(bound, ceilings.permissions(chain_id, bound)).decision
    if decision is not answer.decision.decision:
        told = answer.decision.decision
        raise AssertionError(f"`{question.action}` is `{decision}` by the diagram and `{told}` by the statements")
    return answer


async def who_can(
    source: OrganizationSource, question: Question, *, at: datetime | None, progress: Progress = unseen
) -> Admission:
    """
    Return the accounts whose maximum permissions let a request through.

    Raises:
        InputError: The question gives a key another value than an account has.
        UnavailableError: The database does not answer.
    """
    accounts = await source.accounts(at=at)
    ceilings = await source.ceilings(accounts)
    placed = [account for account in accounts if account.chain_id is not None]
    return Admission(
        admitted=_admitted(ceilings, question, placed, progress),
        unplaced=[account for account in accounts if account.chain_id is None],
        count=len(accounts),
    )


def join_admissions(admissions: Sequence[Admission]) -> Admission:
    """
    Return the answers of several organizations as one.
    """
    return Admission(
        admitted=[each for admission in admissions for each in admission.admitted],
        unplaced=[account for admission in admissions for account in admission.unplaced],
        count=sum(admission.count for admission in admissions),
    )


def heading(account: Standing) -> dict[str, object]:
    """
    Return what names an account in an answer.
    """
    return {
        "organization_id": account.organization_id,
        "account_id": account.account_id,
        "account_name": account.name,
    }


def _admitted(
    ceilings: Ceilings, question: Question, accounts: Sequence[Standing], progress: Progress
) -> list[Admitted]:
    """
    Decide once for all accounts that share their permissions: what these say of a request is the same for each of them.
    """
    if question.tells_accounts_apart:
        return _admitted_one_by_one(ceilings, question, accounts, progress)
    found = []
    rulings: dict[str | Permissions, Ruling] = {}
    apart = set(filter(ceilings.tells_accounts_apart, {account.placed_chain_id for account in accounts}))
    for account in progress(accounts):
        chain_id = account.placed_chain_id
        shared: str | Permissions = chain_id
        if chain_id in apart:
            shared = ceilings.permissions(chain_id, account.bound(ceilings))
        ruling = rulings.get(shared)
        if ruling is None:
            bound = account.bound(ceilings)
            ruling = rulings[shared] = question.put(bound, ceilings.permissions(chain_id, bound))
        if ruling.decision is Decision.ALLOW:
            found.append(Admitted(account, ruling.assumed_of(account.account_id)))
    return found


def _admitted_one_by_one(
    ceilings: Ceilings, question: Question, accounts: Sequence[Standing], progress: Progress
) -> list[Admitted]:
    """
    Decide for each account under its own chain: that permissions are shared holds for an account's own principals.
    """
    answers = (
        (account, question.ask(account.bound(ceilings), ceilings.chain(account.placed_chain_id, account.account_id)))
        for account in progress(accounts)
    )
    return [
        Admitted(account, answer.assumed) for account, answer in answers if answer.decision.decision is Decision.ALLOW
    ]
