from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from pydantic import ValidationError
from tests.generators.histories import disorders, generate_history
from tests.generators.telling import snapshot_document

from rooftree.contracts.snapshot import SnapshotDocument
from rooftree.errors import SnapshotError
from rooftree.organization.snapshot_reader import parse_snapshot


@pytest.mark.parametrize("part", ["organization", "root", "accounts"])
def test_the_model_and_the_reader_want_the_same_parts(part: str) -> None:
    """A snapshot without its organization, its root or its accounts is none."""
    document = snapshot_document()
    del document[part]
    with pytest.raises(ValidationError):
        SnapshotDocument.model_validate(document)
    with pytest.raises(SnapshotError):
        parse_snapshot(document)


@settings(max_examples=20, deadline=None)
@given(random=disorders())
def test_whatever_the_reader_reads_fits_the_model(random: Random) -> None:
    """Going through the model changes nothing."""
    document = generate_history(random, changes=10).outcome.snapshot()
    assert parse_snapshot(document) == parse_snapshot(SnapshotDocument.model_validate(document).model_dump())
