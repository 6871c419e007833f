"""
Which records are taken for replays of dead letters.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from tests.unit.workers.fakes import record

from rooftree.ports.letters import OpenLetters
from rooftree.ports.publishing import RecordKind
from rooftree.reading.reader import LetterName
from rooftree.workers.replays import Replays, name_letter, replay_record

ORGANIZATION = "o-exampleorg"
LETTER = LetterName(ORGANIZATION, "log", "changes", 0, 5)
NAME = b"o-exampleorg/log/changes/0/5"
RECORD = record(3, b"{}", key=b"whatever")


def open_letter(value: bytes = b"{}") -> Replays:
    """
    Return the replays of a batch in which one letter was asked for, with these bytes.
    """
    return Replays({ORGANIZATION: OpenLetters(1, frozenset({(LETTER, hashlib.sha256(value).digest())}))})


def test_a_replay_goes_to_the_partition_of_its_organization() -> None:
    """
    Key is the organization, value and headers are the letter's own, and one header names the letter.
    """
    sent = replay_record(LETTER, replace(RECORD, headers=(("a", b"b"), ("rooftree-letter", b"/1"))))

    assert (RecordKind.CHANGE, ORGANIZATION.encode(), b"{}") == (sent.kind, sent.key, sent.value)
    assert (("a", b"b"), ("rooftree-letter", NAME)) == sent.headers


def test_a_letter_of_nobody_keeps_its_key() -> None:
    """
    Where no organization is told, the key is all there is.
    """
    assert b"whatever" == replay_record(replace(LETTER, organization_id=""), RECORD).key


def test_the_letter_is_recognized() -> None:
    """
    By its name and its bytes, until it was processed.
    """
    replays = open_letter()
    again = replace(RECORD, headers=(("rooftree-letter", name_letter(LETTER)),))
    found = replays.letter(again)

    assert LETTER == found
    assert replays.succeeded(LETTER)
    assert replays.letter(again) is None


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"o-exampleorg/log/changes/0/", id="no offset"),
        pytest.param(b"o-exampleorg/log/changes/0/-5", id="negative"),
        pytest.param("o-exampleorg/log/changes/0/٥".encode(), id="digits of another script"),
        pytest.param(b"o-exampleorg/log/changes/0/5'; drop table", id="SQL"),
        pytest.param(b"o-exampleorg/log/changes/0/" + b"9" * 40, id="more than a number of the store"),
        pytest.param(b"../../o-exampleorg/log/changes/0/5", id="path"),
        pytest.param(b"\xff\xfe/log/changes/0/5", id="bytes"),
        pytest.param(b"o-exampleorg/log/changes/0/6", id="another letter"),
    ],
)
def test_a_header_that_names_no_such_letter_is_passed_over(header: bytes) -> None:
    """
    The record is an ordinary one then.
    """
    assert open_letter().letter(replace(RECORD, headers=(("rooftree-letter", header),))) is None


@pytest.mark.parametrize("log_id", ["cluster/topic", "a/b/0/7", "embedded-1", "/"])
@pytest.mark.parametrize("organization_id", [ORGANIZATION, ""])
def test_whatever_the_id_of_a_log_is_a_name_is_read_as_it_was_written(log_id: str, organization_id: str) -> None:
    """
    Logs are named by cluster and topic, with a slash between.
    """
    letter = replace(LETTER, log_id=log_id, organization_id=organization_id)
    again = replace(RECORD, headers=(("rooftree-letter", name_letter(letter)),))
    found = Replays({organization_id: OpenLetters(1, frozenset({(letter, hashlib.sha256(b"{}").digest())}))})

    assert letter == found.letter(again)


def test_other_bytes_are_no_replay() -> None:
    """
    The name of a letter is nothing without what it holds.
    """
    again = replace(RECORD, headers=(("rooftree-letter", name_letter(LETTER)),))

    assert open_letter(b"other").letter(again) is None


def test_a_new_letter_of_the_batch_keeps_the_organization_incomplete() -> None:
    """
    The last of the old ones is not the last one then.
    """
    replays = open_letter()
    replays.parked(replace(LETTER, offset=9), RECORD)

    assert not replays.succeeded(LETTER)


def test_a_letter_and_its_replay_may_be_in_one_batch() -> None:
    """
    A log that is read anew in large batches comes to the same.
    """
    replays = Replays({ORGANIZATION: OpenLetters(0, frozenset())})
    replays.parked(LETTER, RECORD)
    again = replace(RECORD, headers=(("rooftree-letter", NAME),))

    assert LETTER == replays.letter(again)
    assert replays.succeeded(LETTER)
