"""
Calls to AWS keep to what it grants.
"""

from __future__ import annotations

import pytest

from rooftree.aws.limits import Bucket, Rate


class Clock:
    """
    A clock that is set by hand.
    """

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """
        Return the time.
        """
        return self.now


def test_a_burst_is_made_at_once_and_the_rest_at_the_rate() -> None:
    """
    Whoever takes more than there is waits until it has come in.
    """
    bucket = Bucket(Rate("x", 2, 3), clock=Clock())

    assert [0, 0, 0, 0.5, 1.0] == [bucket.take() for _ in range(5)]


def test_an_allowance_fills_up_with_time() -> None:
    """
    It does so up to the burst and not beyond.
    """
    clock = Clock()
    bucket = Bucket(Rate("x", 2, 3), clock=clock)
    for _ in range(3):
        bucket.take()

    clock.now += 0.5
    assert [0, 0.5] == [bucket.take() for _ in range(2)]
    clock.now += 3600
    assert [0, 0, 0, 0.5] == [bucket.take() for _ in range(4)]


def test_a_refusal_uses_up_what_there_is() -> None:
    """
    Somebody else uses the allowance as well, so the next call waits.
    """
    bucket = Bucket(Rate("x", 4, 8), clock=Clock())

    bucket.empty()

    assert 0.25 == bucket.take()


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_share_of_a_small_burst_lets_calls_through(share: float) -> None:
    """
    However little is to be used, one call at a time can be made.
    """
    bucket = Bucket(Rate("x", 2, 2), share=share, clock=Clock())

    assert [0, 1 / (2 * share)] == [bucket.take(), bucket.take()]
