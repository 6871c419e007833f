"""
What an event of AWS leaves in doubt, by what is known already.

CloudTrail tells the time of an event by the second and no order within it. Two events of one second that set the same
register to different values leave open which of them came last. One of them is taken, the same one on every machine;
and what they were about is to be read anew.

So is a managed policy that a principal gets and whose document nobody has told: those of AWS come with no event at all.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from collections.abc import Iterator

from rooftree.organization.changes import Change, PrincipalChange, PrincipalUpdated
from rooftree.organization.claims import facts_of
from rooftree.organization.directory import Directory
from rooftree.organization.facts import Attribute, Fact, FactKind, Rank
from rooftree.organization.principal_facts import REMOVED_AT, PrincipalFact, principal_facts_of
from rooftree.organization.principals import ATTACHED, BOUNDARY, policy_subject
from rooftree.organization.registers import Registers
from rooftree.organization.rereads import RereadKind, RereadRequest, principal_object

__all__ = ["doubts_of"]

REASON = "two events of the same second contradict each other"
UNKNOWN = "its document was not told"

_OF_ACCOUNTS = frozenset({Attribute.NAME, Attribute.EMAIL, Attribute.STATUS, Attribute.PARENT, Attribute.PRESENT})


def doubts_of(change: Change, registers: Registers, directory: Directory) -> tuple[RereadRequest, ...]:
    """
    Return what is to be read anew if *change*, told by the second, is taken in after all that is known.

    INVARIANT: of two contradicting changes whichever comes second finds the first, so the order of arrival does not
    matter.
    """
    if not change.by_the_second:
        return ()
    if isinstance(change.data, PrincipalChange):
        found = dict.fromkeys((*_in_directory(change, directory), *_unknown_policies(change.data, directory)))
    else:
        found = dict.fromkeys(_in_registers(change, registers))
    return tuple(found)


def _in_registers(change: Change, registers: Registers) -> Iterator[RereadRequest]:
    for fact in facts_of(change):
        known = registers.find(fact.key)
        if known is not None and _tied(fact, known) and fact.value != known.value and fact.version.rank != Rank.IMPLIED:
            request = _request(fact, registers.organization_id)
            if request is not None:
                yield request


def _tied(fact: Fact, known: Fact) -> bool:
    one, other = fact.version, known.version
    if one.time != other.time or one.event_id == other.event_id or one.rank != other.rank:
        return False
    # Sequences order what can only happen in one order, as creation before deletion. A type may go and come.
    return one.sequence == other.sequence or fact.kind == FactKind.POLICY_TYPE


def _request(fact: Fact, organization_id: str) -> RereadRequest | None:
    match fact.kind:
        case FactKind.ATTACHMENT:
            return RereadRequest(RereadKind.ATTACHMENTS, fact.subject, REASON, doubtful=True)
        case FactKind.ACCOUNT if fact.attribute in _OF_ACCOUNTS:
            doubtful = fact.attribute in (Attribute.PARENT, Attribute.PRESENT)
            return RereadRequest(RereadKind.ACCOUNT, fact.subject, REASON, doubtful=doubtful)
        case FactKind.OU:
            return RereadRequest(RereadKind.OU, fact.subject, REASON, doubtful=fact.attribute != Attribute.NAME)
        case FactKind.POLICY:
            return RereadRequest(RereadKind.POLICY, fact.subject, REASON, doubtful=fact.attribute != Attribute.NAME)
        case FactKind.POLICY_TYPE:
            return RereadRequest(RereadKind.ORGANIZATION, organization_id, REASON, doubtful=True)
        case _:
            return None


def _in_directory(change: Change, directory: Directory) -> Iterator[RereadRequest]:
    for fact in principal_facts_of(change):
        known = directory.said(*fact.key)
        if known is not None and _at_odds(fact, known):
            object_id = principal_object(fact.account_id, fact.subject)
            yield RereadRequest(RereadKind.PRINCIPAL, object_id, REASON, doubtful=False)


def _unknown_policies(data: PrincipalChange, directory: Directory) -> Iterator[RereadRequest]:
    if not isinstance(data, PrincipalUpdated):
        return
    given = [
        name.removeprefix(ATTACHED) for name, value in data.attributes.items() if name.startswith(ATTACHED) and value
    ]
    boundary = data.attributes.get(BOUNDARY)
    for arn in (*given, *((boundary,) if isinstance(boundary, str) else ())):
        if not directory.knows_policy(data.account_id, arn):
            object_id = principal_object(data.account_id, policy_subject(arn))
            yield RereadRequest(RereadKind.PRINCIPAL, object_id, UNKNOWN, doubtful=False)


def _at_odds(fact: PrincipalFact, known: PrincipalFact) -> bool:
    one, other = fact.version, known.version
    if one.time != other.time or one.event_id == other.event_id:
        return False
    if fact.attribute == REMOVED_AT:
        # A creation implies that whatever had the name before is gone; a deletion says it.
        return one.rank != other.rank
    return fact.value != known.value
