"""
Which records are taken for replays of dead letters.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from tests.unit.workers.fakes import record

from rooftree.ports import OpenLetters, RecordKind
from rooftree.workers.replays import Letter, Replays, letter_name, replay_record

ORGANIZATION = "o-exampleorg"
RECORD = record(3, b"{}", key=b"whatever")


def open_letter(value: bytes = b"{}") -> Replays:
    """
    Return the replays of a batch in which letter 5 was asked for, with these bytes.
    """
    return Replays({ORGANIZATION: OpenLetters(1, frozenset({(5, hashlib.sha256(value).digest())}))})


def test_a_replay_goes_to_the_partition_of_its_organization() -> None:
    """
    Key is the organization, value and headers are the letter's own, and one header names the letter.
    """
    sent = replay_record(ORGANIZATION, 5, replace(RECORD, headers=(("a", b"b"), ("rooftree-letter", b"/1"))))

    assert (RecordKind.CHANGE, ORGANIZATION.encode(), b"{}") == (sent.kind, sent.key, sent.value)
    assert (("a", b"b"), ("rooftree-letter", b"o-exampleorg/5")) == sent.headers


def test_a_letter_of_nobody_keeps_its_key() -> None:
    """
    Where no organization is told, the key is all there is.
    """
    assert b"whatever" == replay_record("", 5, RECORD).key


def test_the_letter_is_recognized() -> None:
    """
    By its name and its bytes, until it was processed.
    """
    replays = open_letter()
    again = replace(RECORD, headers=(("rooftree-letter", letter_name(ORGANIZATION, 5)),))
    found = replays.letter(again)

    assert Letter(ORGANIZATION, 5) == found
    assert replays.succeeded(Letter(ORGANIZATION, 5))
    assert replays.letter(again) is None


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"o-exampleorg/", id="no number"),
        pytest.param(b"o-exampleorg/-5", id="negative"),
        pytest.param("o-exampleorg/٥".encode(), id="digits of another script"),
        pytest.param(b"o-exampleorg/5'; drop table", id="SQL"),
        pytest.param(b"o-exampleorg/" + b"9" * 40, id="more than a number of the store"),
        pytest.param(b"../../o-exampleorg/5", id="path"),
        pytest.param(b"\xff\xfe/5", id="bytes"),
        pytest.param(b"o-exampleorg/6", id="another letter"),
    ],
)
def test_a_header_that_names_no_such_letter_is_passed_over(header: bytes) -> None:
    """
    The record is an ordinary one then.
    """
    assert open_letter().letter(replace(RECORD, headers=(("rooftree-letter", header),))) is None


def test_other_bytes_are_no_replay() -> None:
    """
    The name of a letter is nothing without what it holds.
    """
    again = replace(RECORD, headers=(("rooftree-letter", letter_name(ORGANIZATION, 5)),))

    assert open_letter(b"other").letter(again) is None


def test_a_new_letter_of_the_batch_keeps_the_organization_incomplete() -> None:
    """
    The last of the old ones is not the last one then.
    """
    replays = open_letter()
    replays.parked(ORGANIZATION)

    assert not replays.succeeded(Letter(ORGANIZATION, 5))
