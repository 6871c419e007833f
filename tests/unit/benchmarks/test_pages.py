from __future__ import annotations

import httpx
import pytest

from rooftree.benchmarks.pages import time_within
from rooftree.errors import UnavailableError


def answer(status: int, **headers: str) -> httpx.Response:
    """
    Return an answer to a request for a page.
    """
    request = httpx.Request("GET", "http://127.0.0.1/o-exampleorg/audit")
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=told, request=request)


def test_the_time_is_that_of_the_process_which_serves() -> None:
    """
    It is told in milliseconds, and measured in seconds.
    """
    assert 0.0125 == time_within(answer(200, server_timing="total;dur=12.50"))


@pytest.mark.parametrize("other", [answer(503, server_timing="total;dur=1.00"), answer(303), answer(200)])
def test_what_is_no_page_is_not_timed(other: httpx.Response) -> None:
    """
    An error is quick, and would pass for a fast page.
    """
    with pytest.raises(UnavailableError, match="/o-exampleorg/audit"):
        time_within(other)
