"""
Every field of every record of the corpus, left out, emptied, masked or of another type.

What comes of it is the same change, or less of it with a request to read the rest anew, or a refusal that names a
place. It is never a wrong fact, and never an error that nobody has raised on purpose.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.cloudtrail_cases import CASES, ORGANIZATION, CloudTrailCase, rereads_of

from rooftree.aws.events import AwsRecords, decode_record, translate
from rooftree.errors import ChangeError
from rooftree.organization.changes import Change
from rooftree.organization.claims import facts_of
from rooftree.organization.facts import FactValue
from rooftree.organization.principal_facts import principal_facts_of

Path = tuple[str | int, ...]
Facts = dict[tuple[str, str, str], FactValue]

GONE = object()

# What a change states of its subject beside its values: that it was spoken of. A joining account whose time is not
# told is only spoken of, and asked for.
SPOKEN_OF = frozenset({"observed"})

# Told by two fields at most, and not needed for any decision.
DISPENSABLE = frozenset({"unique_id", "name"})


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """
    Every place in a record.
    """
    inner: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, Mapping):
        inner = iter(value.items())
    elif isinstance(value, list):
        inner = iter(enumerate(value))
    for name, member in inner:
        yield (*above, name)
        yield from paths(member, (*above, name))


def altered(record: Mapping[str, Any], path: Path, value: object) -> Any:
    """
    A record with another value at one place, or with nothing there.
    """
    whole = copy.deepcopy(dict(record))
    holder: Any = whole
    for step in path[:-1]:
        holder = holder[step]
    if value is GONE:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return whole


def outcome(record: object) -> Change | ChangeError | None:
    """
    What comes of a record.
    """
    try:
        decoded = decode_record(json.dumps(record).encode())
        assert isinstance(decoded, AwsRecords)
        return translate(decoded.records[0], ORGANIZATION)
    except ChangeError as error:
        return error


def stated(change: Change | None) -> Facts:
    """
    What a change states, without when.
    """
    if change is None:
        return {}
    return {fact.key: fact.value for fact in (*facts_of(change), *principal_facts_of(change))}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_field_that_is_missing_makes_no_wrong_fact(case: CloudTrailCase) -> None:
    """
    Left out, null or masked: less may be stated, never something else, and what is left out is asked for.
    """
    whole = outcome(case.record)
    assert not isinstance(whole, ChangeError)
    expected = stated(whole)
    for path in paths(case.record):
        # An element that is missing from a list is no field that is missing.
        for value in (None, "****") if isinstance(path[-1], int) else (GONE, None, "****"):
            found = outcome(altered(case.record, path, value))
            if isinstance(found, ChangeError):
                assert found.reason
                continue
            facts = stated(found)
            wrong = {key: told for key, told in facts.items() if expected.get(key, GONE) != told}
            assert {} == {key: told for key, told in wrong.items() if key[2] not in SPOKEN_OF}, (path, value)
            less = {key for key in expected if key not in facts and key[2] not in DISPENSABLE}
            assert not less or rereads_of(found), (path, value, less)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_field_of_another_type_is_refused_or_passed_over(case: CloudTrailCase) -> None:
    """
    A refusal has a reason; nothing else is raised, whatever stands there.
    """
    for path in paths(case.record):
        for value in (42, True, [], {}, [1], {"a": None}, "nonsense", "\u0000", "x" * 5000):
            found = outcome(altered(case.record, path, value))
            if isinstance(found, ChangeError):
                assert found.reason, (path, value)
            elif found is not None:
                assert ORGANIZATION == found.organization_id
