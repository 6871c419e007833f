from __future__ import annotations

import re

from rooftree.access.tokens import digest_of, is_token, new_token


def test_tokens_are_long_random_and_alike_in_form() -> None:
    """
    Each is new, and a scanner knows all of them by one pattern.
    """
    tokens = {new_token() for _ in range(200)}

    assert 200 == len(tokens)
    assert all(re.fullmatch(r"rooftree_[0-9A-Za-z]{49}", token) for token in tokens)
    assert all(is_token(token) for token in tokens)


def test_a_slip_in_a_token_shows_by_its_checksum() -> None:
    """
    Any one character changed, lost or doubled is noticed without asking anybody.
    """
    token = new_token()
    other = {"0": "1"}
    bent = [token[:at] + other.get(token[at], "0") + token[at + 1 :] for at in range(len(token))]

    assert [] == [one for one in bent if is_token(one)]
    assert not is_token(token[:-1])
    assert not is_token(token + "0")
    assert not is_token(f"{token}\n")
    assert not is_token("")


def test_what_is_kept_has_nothing_of_the_token() -> None:
    """
    The digest is of fixed length and another for each token; lone surrogates are no reason to fail.
    """
    assert 32 == len(digest_of(new_token()))
    assert digest_of(new_token()) != digest_of(new_token())
    assert 32 == len(digest_of("\ud800"))
