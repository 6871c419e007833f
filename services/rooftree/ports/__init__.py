"""
What the workers need from the outside: the change log, the store, the publisher.

Every method may raise `UnavailableError`; the state outside is then what it was before the call or what it would be
after it, and repeating the call is safe. Cancelling has the same two outcomes. No other error is passed on for a
server that is away.
"""

from __future__ import annotations
