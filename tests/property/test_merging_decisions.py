from __future__ import annotations

from hypothesis import given, settings
from tests.generators.histories import History, histories
from tests.generators.probing import PROBES, chains, check_witnesses, decide
from tests.generators.shelf import Shelf

from rooftree import permissions
from rooftree.contracts import decode_change
from rooftree.policy.evaluate import Decision
from rooftree.view.audit import AuditType


@settings(max_examples=25, deadline=None)
@given(history=histories(changes=20))
def test_what_is_told_is_what_one_request_after_another_shows(history: History) -> None:
    """Witnesses are decided as said before and after, and a probe that is decided otherwise has its audit event."""
    shelf = Shelf(history.organization_id)
    view = shelf.load(permissions)
    for event in history.events:
        before = chains(shelf)
        patch = view.apply(decode_change(event.to_bytes()))
        shelf.write(patch)
        after = chains(shelf)
        told = {audit.account_id or "": audit.data for audit in patch.audit if audit.type == AuditType.DECISION_CHANGED}
        for account_id, data in told.items():
            check_witnesses(data, before[account_id], after[account_id])
        for account_id in before.keys() & after.keys() - told.keys():
            for probe in PROBES:
                allowed = [decide(bound, probe) is Decision.ALLOW for bound in (before[account_id], after[account_id])]
                assert allowed[0] is allowed[1]
