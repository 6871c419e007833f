"""
From a record of a known organization to the change that it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pydantic import ValidationError

from rooftree.aws.events.iam import IAM_SERVICE, interpret_iam
from rooftree.aws.events.interpretation import Interpretation
from rooftree.aws.events.organizations import (
    ACCOUNT_SERVICE,
    ORGANIZATIONS_SERVICE,
    interpret_account,
    interpret_organizations,
)
from rooftree.aws.events.record import AwsRecord
from rooftree.contracts.changes import DATA_MODELS
from rooftree.contracts.complaints import first_complaint
from rooftree.errors import ChangeError, InputError, join_place
from rooftree.organization.changes import Change, ChangeData, ChangeType, RereadAsked

__all__ = ["is_relevant", "translate"]

_SERVICES: Final[Mapping[str, Callable[[AwsRecord, str], Interpretation]]] = {
    ORGANIZATIONS_SERVICE: interpret_organizations,
    ACCOUNT_SERVICE: interpret_account,
    IAM_SERVICE: interpret_iam,
}


def is_relevant(record: AwsRecord) -> bool:
    """
    Tell whether a record may change anything: calls that failed do not, nor those of other services.
    """
    return not record.failed and record.service in _SERVICES


def translate(record: AwsRecord, organization_id: str) -> Change | None:
    """
    Return the change that a record is; None for one that changes nothing that is kept.

    Raises:
        ChangeError: A field has a value that it cannot have; the error names its place in the record.
    """
    if not is_relevant(record):
        return None
    try:
        interpretation = _SERVICES[record.service](record, organization_id)
        if interpretation.type is None and not interpretation.requests:
            return None
        return Change(
            event_id=record.event_id,
            source=record.service,
            type=interpretation.type or ChangeType.REREAD_ASKED,
            time=interpretation.time or record.time,
            sequence=interpretation.sequence,
            organization_id=organization_id,
            actor=record.actor,
            data=_data(record, interpretation, organization_id),
            requests=interpretation.requests if interpretation.type is not None else (),
            by_the_second=True,
        )
    except ChangeError as error:
        error.organization_id, error.time = organization_id, record.time
        raise


def _data(record: AwsRecord, interpretation: Interpretation, organization_id: str) -> ChangeData:
    if interpretation.type is None:
        return RereadAsked(interpretation.requests)
    try:
        model = DATA_MODELS[interpretation.type].model_validate(
            {"organization_id": organization_id, **interpretation.data}
        )
        return model.to_change()
    except ValidationError as error:
        raise _refusal(record, interpretation, first_complaint(error)) from error
    except InputError as error:
        raise _refusal(record, interpretation, error) from error


def _refusal(record: AwsRecord, interpretation: Interpretation, complaint: InputError) -> ChangeError:
    """
    Return the complaint about what a record was taken for, with the place in the record.
    """
    place = complaint.place
    for told, stands_at in interpretation.places.items():
        if place.startswith(told):
            place = stands_at + place[len(told) :]
            break
    else:
        place = join_place(f"requestParameters ({interpretation.type})", place)
    return ChangeError(complaint.reason, place=join_place(record.fields.place, place))
