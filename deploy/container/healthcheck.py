"""
Exit with 0 if the role in this container answers: the API on its port, a worker on that of its metrics.

A worker that cannot go on ends by itself, so that it answers is all there is to ask.
"""

from __future__ import annotations

import http.client
import os
import sys

API = ("ROOFTREE_HTTP_PORT", "8080", "/healthz")
WORKER = ("ROOFTREE_METRICS_PORT", "9464", "/metrics")

TIMEOUT_SECONDS = 4


def answers(variable: str, default: str, path: str) -> bool:
    """
    Return whether a port of this container gives a good answer.
    """
    connection = http.client.HTTPConnection(
        "127.0.0.1", int(os.environ.get(variable) or default), timeout=TIMEOUT_SECONDS
    )
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers(*API) or answers(*WORKER) else 1)
