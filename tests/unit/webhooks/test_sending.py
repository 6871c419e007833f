from __future__ import annotations

import ipaddress

import pytest

from rooftree.errors import UsageError
from rooftree.webhooks.sending import Sender, _is_public, check_url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "http://hooks.example.com/x",
        "ftp://hooks.example.com",
        "https://",
        "https:///x",
        "https://user:secret@hooks.example.com",
        "https://hooks.example.com/#x",
        "https://hooks.example.com/ x",
        "https://hooks.example.com/\r\nX: y",
        "https://hooks.example.com:99999/",
        "https://[::1",
        "https://hooks.example.com/" + "x" * 3000,
        "file:///etc/passwd",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """
    TLS, a host, no password, nothing that could end a line.
    """
    with pytest.raises(UsageError, match="URL"):
        check_url(url)


def test_without_tls_only_where_private_addresses_are_allowed() -> None:
    """
    The setting that opens the inside opens plain HTTP with it.
    """
    assert "http://10.0.0.1/x" == check_url("http://10.0.0.1/x", allow_private=True)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        *(("93.184.216.34", True), ("2606:2800:220:1::1", True)),
        *(("127.0.0.1", False), ("0.0.0.0", False), ("10.1.2.3", False), ("172.16.0.1", False)),
        *(("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False)),
        *(("255.255.255.255", False), ("::1", False), ("::", False), ("fe80::1", False), ("fd00:ec2::254", False)),
        *(("::ffff:127.0.0.1", False), ("::ffff:169.254.169.254", False), ("64:ff9b::7f00:1", False)),
        *(("64:ff9b::a9fe:a9fe", False), ("2002:7f00:1::", False), ("ff02::1", False)),
    ],
)
def test_only_public_addresses_are_public(address: str, *, public: bool) -> None:
    """
    Loopback, private, link-local and metadata addresses are not, in any spelling of IPv4 within IPv6.
    """
    assert public is _is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "169.254.169.254",
        "0177.0.0.1",
        "0x7f.1",
        "2130706433",
        "127.1",
        "[::ffff:7f00:1]",
    ],
)
async def test_nothing_is_sent_to_this_machine_however_it_is_spelled(host: str) -> None:
    """
    What counts is the address to which a name leads, not how it looks.
    """
    answer = await Sender(timeout=5, allow_private=False).send(f"https://{host}/", b"{}", {})

    assert answer.status is None
    assert "not public" in answer.reason or "cannot be reached" in answer.reason


@pytest.mark.parametrize("host", ["a" * 64 + ".example.com", "hooks..example.com", ".example.com"])
async def test_a_name_that_cannot_be_looked_up_is_told_and_stops_nobody(host: str) -> None:
    """
    Whoever subscribes such an address keeps no other from being served.
    """
    answer = await Sender(timeout=5, allow_private=False).send(f"https://{host}/", b"{}", {})

    assert answer.status is None
    assert answer.reason.startswith("cannot be reached")
