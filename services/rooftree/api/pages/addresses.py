"""
The addresses of the pages: everything that is shown has one, so it can be linked to.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote, urlencode

from rooftree.organization.identifiers import is_account
from rooftree.organization.timestamps import format_time

__all__ = ["Addresses", "with_query"]


class Addresses:
    """
    The pages of one organization.
    """

    def __init__(self, organization_id: str) -> None:
        self.home = f"/{quote(organization_id)}"
        self._organization_id = organization_id

    def node(self, node_id: str, *, at: datetime | None = None) -> str:
        """
        Return where a root, an organizational unit or an account is shown.
        """
        if is_account(node_id):
            return self.account(node_id, at=at)
        return f"{self.home}/nodes/{quote(node_id, safe='')}"

    def account(self, account_id: str, tab: str = "", *, at: datetime | None = None) -> str:
        """
        Return where an account is shown, as it is or as it was.
        """
        path = f"{self.home}/accounts/{quote(account_id, safe='')}{f'/{tab}' if tab else ''}"
        return with_query(path, at=format_time(at) if at else None)

    def service(self, account_id: str, service: str, *, at: datetime | None = None) -> str:
        """
        Return where the actions of a service are shown as an account may use them.
        """
        return self.account(account_id, f"services/{quote(service, safe='')}", at=at)

    def audit(self, **filters: str | None) -> str:
        """
        Return where audit events are listed, those that pass the filters.
        """
        return with_query(f"{self.home}/audit", **filters)

    def revision(self, revision: int, part: int | None = None) -> str:
        """
        Return where one change is told, or one account of it.
        """
        return with_query(f"{self.home}/audit/{revision}", part=None if part is None else str(part))

    def policy(self, policy_id: str) -> str:
        """
        Return where a policy is shown.
        """
        return f"{self.home}/policies/{quote(policy_id, safe='')}"

    def page(self, name: str, **parameters: str | None) -> str:
        """
        Return where one of the other pages is.
        """
        return with_query(f"{self.home}/{name}", **parameters)

    def api(self, name: str, **parameters: str | None) -> str:
        """
        Return an address of the API about the same organization.
        """
        return with_query(f"/api/v1/{name}", organization_id=self._organization_id, **parameters)


def with_query(path: str, **parameters: str | None) -> str:
    """
    Return a path with those of the parameters that are given.
    """
    given = {name: value for name, value in parameters.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
