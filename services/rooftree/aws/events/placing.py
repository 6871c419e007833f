"""
Which organization a record is of.

Few records tell it. Kafka's key may, if whoever sends records knows; and the account that a record is of belongs to
one organization. What cannot be placed is refused: a change of one organization must never end in another.
"""

from __future__ import annotations

from collections.abc import Iterable

from rooftree.aws.events.record import AwsRecord
from rooftree.errors import ChangeError
from rooftree.organization.identifiers import is_organization
from rooftree.organization.memberships import Membership

__all__ = ["place"]


def place(record: AwsRecord, key: bytes | None, memberships: Iterable[Membership]) -> str:
    """
    Return the organization of a record.

    What the record says counts first, then the account it is of, then the key; where the last two contradict each
    other, neither does.

    Args:
        record: The record.
        key: The key of the Kafka record that it came in.
        memberships: What is known of the account.

    Raises:
        ChangeError: It cannot be told.
    """
    if record.organization_id is not None:
        return record.organization_id
    text = (key or b"").decode("ascii", "replace")
    keyed = text if is_organization(text) else None
    known = _known(record, memberships)
    if keyed is not None and (not known or keyed in known):
        return keyed
    if len(known) == 1 and keyed is None:
        return known[0]
    raise ChangeError(_why(record, keyed, known), place="recipientAccountId", time=record.time)


def _known(record: AwsRecord, memberships: Iterable[Membership]) -> list[str]:
    own = [one for one in memberships if one.account_id == record.account_id]
    present = [one for one in own if one.present]
    return sorted({one.organization_id for one in present or own})


def _why(record: AwsRecord, keyed: str | None, known: list[str]) -> str:
    account = f"account `{record.account_id}`" if record.account_id else "an account that is not told"
    if keyed is not None:
        return f"the key says `{keyed}`, but {account} is in {', '.join(f'`{one}`' for one in known)}"
    if known:
        return f"{account} is in several organizations: {', '.join(f'`{one}`' for one in known)}"
    return f"{account} is in no organization that is known here, and neither the event nor the key tells one"
