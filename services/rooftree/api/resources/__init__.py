"""
The endpoints under ``/api/v1``, by what they are about.
"""

from __future__ import annotations

from typing import Final

from rooftree.api.endpoint import Endpoint
from rooftree.api.resources import accounts, audit, decisions, operations, organizations, probes, tokens, webhooks

__all__ = ["ENDPOINTS"]

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *organizations.ENDPOINTS,
    *accounts.ENDPOINTS,
    *decisions.ENDPOINTS,
    *audit.ENDPOINTS,
    *probes.ENDPOINTS,
    *operations.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *tokens.ENDPOINTS,
)
