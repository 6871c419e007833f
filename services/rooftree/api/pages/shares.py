"""
How much of AWS a set of maximum permissions leaves, counted in known actions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rooftree.api.pages.charts import Shares
from rooftree.reading.outline import ServiceVerdicts
from rooftree.reading.reader import Reader

__all__ = ["ShareCache"]

KEPT: Final = 4096
ASKED_AT_ONCE: Final = 6
"""Sets that one page counts at most; of the rest the picture is left out until a later page has counted them."""


class ShareCache:
    """
    Counts by organization and permission set.

    INVARIANT: the id of a permission set names its content, so what was counted once holds.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Shares] = {}

    async def find(self, reader: Reader, organization_id: str, wanted: Iterable[str | None]) -> dict[str, Shares]:
        """
        Return the counts of some permission sets, counting a few that are not known yet.
        """
        sets = list(dict.fromkeys(one for one in wanted if one is not None))
        unknown = [one for one in sets if (organization_id, one) not in self._known]
        for permissions_id in unknown[:ASKED_AT_ONCE]:
            self.learn(organization_id, permissions_id, await reader.service_verdicts(organization_id, permissions_id))
        return {one: found for one in sets if (found := self._known.get((organization_id, one))) is not None}

    def learn(self, organization_id: str, permissions_id: str, verdicts: Iterable[ServiceVerdicts]) -> Shares:
        """
        Take in the counts of one permission set.
        """
        if len(self._known) >= KEPT:
            self._known.clear()
        found = self._known[organization_id, permissions_id] = _total(verdicts)
        return found


def _total(verdicts: Iterable[ServiceVerdicts]) -> Shares:
    """
    Return the counts of all services together.
    """
    allowed = conditional = denied = 0
    for one in verdicts:
        allowed += one.allowed
        conditional += one.conditional
        denied += one.denied
    return Shares(allowed, conditional, denied)
