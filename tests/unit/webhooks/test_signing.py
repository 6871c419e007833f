from __future__ import annotations

import pytest

from rooftree.errors import UsageError
from rooftree.webhooks.signing import check_secret, new_secret, signed_headers, signing_with

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def test_a_signature_is_that_of_the_specification() -> None:
    """
    The example that the reference libraries share is signed as they sign it.
    """
    headers = await signed_headers(
        signing_with(SECRET),
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )

    assert {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    } == headers


def test_new_secrets_are_good_and_new() -> None:
    """
    What is made here passes what is asked of others.
    """
    assert check_secret(new_secret()) != check_secret(new_secret())


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", "whsec_äöü", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
)
def test_a_secret_that_is_too_short_or_no_secret_is_refused(secret: str) -> None:
    """
    A signature by a key that can be guessed is none.
    """
    with pytest.raises(UsageError, match="whsec_"):
        check_secret(secret)
