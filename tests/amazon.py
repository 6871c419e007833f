"""
AWS as tests have it: moto behind real HTTP, with a proxy that spoils some of its answers.

Where moto is not like AWS (as of moto 5.2):

- It hangs FullAWSAccess and RCPFullAWSAccess on every node whether or not their type is enabled, neither hangs anything
  when a type is enabled nor takes anything away when it is disabled, and lets policies hang of types that are not
  enabled. AWS does each of these (https://docs.aws.amazon.com/organizations/latest/userguide/disable-policy-type.html).
- It keeps listing a deleted organizational unit among the targets of a policy.
- It lets the last policy be detached from a node, which AWS refuses, and answers ListTargetsForPolicy in one page.
- Accounts are there at once; AWS says IN_PROGRESS, and tells the end of it by an event.
- It does not tell ``Paths`` of accounts, which AWS does since March 2026; the proxy can add them.
- A closed account is SUSPENDED in its ``State`` too, which AWS calls CLOSED
  (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html).
- A role may be assumed by anybody; the proxy refuses for it.
- Everything is consistent at once.
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.config import Config
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

__all__ = ["MANAGEMENT", "Amazon", "Spoiler", "run_amazon"]

MANAGEMENT: Final = "123456789012"
_KEYS: Final = {"aws_access_key_id": MANAGEMENT, "aws_secret_access_key": "secret"}


@dataclass
class Spoiler:
    """
    What the proxy does to calls.

    Attributes:
        faults: Answers instead of those of AWS, by operation, each once: a status with a code.
        empty_pages: Whether each list begins with an empty page that is not its last.
        page_size: How many entries a page has at most; 0 for as many as moto gives.
        paths: Whether accounts tell their paths.
        closed_accounts: Accounts whose roles cannot be assumed.
        made: How often each operation was called.
    """

    faults: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    empty_pages: bool = False
    page_size: int = 0
    paths: bool = False
    closed_accounts: set[str] = field(default_factory=set)
    made: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Amazon:
    """
    AWS, as it is now.

    Attributes:
        url: Where the proxy listens, which counts and spoils.
        direct: Where moto itself listens.
        region: That of the endpoints, which decides on the partition.
    """

    url: str
    direct: str
    spoiler: Spoiler
    region: str = "us-east-1"

    def client(self, service: str) -> Any:
        """
        Return a client that changes AWS, past the proxy.
        """
        return boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self.direct,
            config=Config(retries={"max_attempts": 1}),
            **_KEYS,
        )


@contextmanager
def run_amazon() -> Iterator[Amazon]:
    """
    Run moto and the proxy while the context lasts.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    spoiler = Spoiler()
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), _handler(f"{host}:{port}", spoiler))
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    direct = f"http://{host}:{port}"
    reset = http.client.HTTPConnection(host, port)
    reset.request("POST", "/moto-api/reset")
    reset.getresponse().read()
    reset.close()
    try:
        yield Amazon(f"http://127.0.0.1:{proxy.server_address[1]}", direct, spoiler)
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
        moto.stop()


def _handler(upstream: str, spoiler: Spoiler) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            target = self.headers.get("X-Amz-Target")
            operation = target.partition(".")[2] if target else parse_qs(body.decode()).get("Action", [""])[0]
            with spoiler.lock:
                spoiler.made[operation] += 1
                faults = spoiler.faults.get(operation, [])
                fault = faults.pop(0) if faults else None
            if fault is not None:
                self._fail(*fault, is_json=target is not None)
            elif operation == "AssumeRole" and any(name in body.decode() for name in spoiler.closed_accounts):
                self._fail(403, "AccessDenied", is_json=False)
            else:
                self._forward(operation, body)

        def _fail(self, status: int, code: str, *, is_json: bool) -> None:
            message = "spoiled by the test"
            if is_json:
                content = json.dumps({"__type": code, "message": message}).encode()
            else:
                inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
                content = f"<ErrorResponse>{inner}</ErrorResponse>".encode()
            self._send(status, {"Content-Type": "application/x-amz-json-1.1" if is_json else "text/xml"}, content)

        def _forward(self, operation: str, body: bytes) -> None:
            asked = json.loads(body) if self.headers.get("X-Amz-Target") and body else {}
            token = str(asked.get("NextToken", ""))
            if token == "empty":
                body = json.dumps({name: value for name, value in asked.items() if name != "NextToken"}).encode()
            lists = operation.startswith("List")
            if lists and spoiler.page_size and operation != "ListTargetsForPolicy":
                body = json.dumps({**json.loads(body), "MaxResults": spoiler.page_size}).encode()
            status, headers, content = self._ask(body)
            if lists and status == 200:
                content = self._spoil(operation, json.loads(content), token)
            self._send(status, headers, content)

        def _spoil(self, operation: str, answer: dict[str, Any], token: str) -> bytes:
            if spoiler.empty_pages and not token and operation != "ListRoots":
                [name] = [key for key, value in answer.items() if isinstance(value, list)]
                return json.dumps({name: [], "NextToken": "empty"}).encode()
            if spoiler.paths and operation == "ListAccounts":
                for account in answer["Accounts"]:
                    account["Paths"] = [self._path(account["Id"])]
            return json.dumps(answer).encode()

        def _path(self, account_id: str) -> str:
            nodes = [account_id]
            while not nodes[0].startswith("r-"):
                headers = {"X-Amz-Target": "AWSOrganizationsV20161128.ListParents"}
                _, _, content = self._ask(json.dumps({"ChildId": nodes[0]}).encode(), **headers)
                nodes.insert(0, json.loads(content)["Parents"][0]["Id"])
            return "o-exampleorg1/" + "".join(f"{node}/" for node in nodes)

        def _ask(self, body: bytes, **headers: str) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection(upstream, timeout=30)
            kept = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
            connection.request("POST", urlsplit(self.path).path, body, {**kept, **headers})
            response = connection.getresponse()
            content = response.read()
            told = {name: value for name, value in response.getheaders() if name.lower() in {"content-type", "date"}}
            connection.close()
            return response.status, told, content

        def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Date" not in headers:
                self.send_header("Date", self.date_time_string())
            self.send_header("Content-Length", str(len(content)))
            with suppress(BrokenPipeError):  # who asked has gone
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that the base class has
            pass

    return Handler
