from __future__ import annotations

import pytest

from rooftree.webhooks.schedule import PAUSES, Answer, Step, Verdict, next_step


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((200, Verdict.ACCEPTED), (202, Verdict.ACCEPTED), (204, Verdict.ACCEPTED), (410, Verdict.GONE)),
        *(
            (None, Verdict.AGAIN),
            (301, Verdict.AGAIN),
            (400, Verdict.AGAIN),
            (429, Verdict.AGAIN),
            (500, Verdict.AGAIN),
        ),
    ],
)
def test_the_first_attempt_is_followed_by_what_its_answer_says(status: int | None, verdict: Verdict) -> None:
    """
    Accepted is accepted, gone is gone, and all else is tried again.
    """
    assert verdict is next_step(Answer(status), attempts=1, jitter=0.5).verdict


def test_a_receiver_that_is_away_is_waited_for_through_a_day() -> None:
    """
    Pauses grow, spread by a fifth either way, and end after 22 hours.
    """
    steps = []
    attempts = 1
    while (step := next_step(Answer(503), attempts=attempts, jitter=0.5)).verdict is Verdict.AGAIN:
        steps.append(step.pause)
        attempts += 1

    assert Step(Verdict.GIVEN_UP) == step
    assert list(PAUSES) == steps == sorted(steps)
    assert 20 * 3600 < sum(steps) < 24 * 3600
    assert pytest.approx((4, 6)) == tuple(next_step(Answer(503), attempts=1, jitter=one).pause for one in (0, 1))


def test_an_event_that_is_refused_as_such_holds_up_the_others_for_minutes_only() -> None:
    """
    Five attempts at a 400; the order is kept meanwhile.
    """
    verdicts = [next_step(Answer(400), attempts=count, jitter=0.5).verdict for count in range(1, 6)]

    assert [Verdict.AGAIN] * 4 + [Verdict.GIVEN_UP] == verdicts


def test_a_receiver_may_ask_for_more_time_and_for_no_less() -> None:
    """
    Retry-After lengthens a pause, up to eight hours.
    """
    asked = [next_step(Answer(429, retry_after=one), attempts=1, jitter=0.5).pause for one in (1, 90, 10**9)]

    assert [5, 90, 28800] == asked
