"""
What a commit writes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rooftree.store.rows import LastRow, compress_verdicts, merge_patches
from rooftree.view.patch import AccountState, Departure, Patch, PermissionState, Position

ORGANIZATION = "o-exampleorg"
START = datetime(2026, 1, 1, tzinfo=UTC)
STATE = AccountState(
    account_id="222222222222",
    name="shop",
    email=None,
    status="ACTIVE",
    parent_id="r-ab12",
    path=("r-ab12", "222222222222"),
    placed=True,
    chain_id="chain",
    permissions_id="permissions",
    reported_chain_id="chain",
    revision=0,
    since=START,
    cause_event_id="event",
)


def at(hours: int) -> datetime:
    """
    Return a time.
    """
    return START + timedelta(hours=hours)


def present(hours: int, name: str = "shop") -> Patch:
    """
    Return a patch after which the account is so.
    """
    return Patch(ORGANIZATION, Position(), accounts=(STATE._replace(since=at(hours), name=name),))


def gone(hours: int) -> Patch:
    """
    Return a patch after which the account is gone.
    """
    return Patch(ORGANIZATION, Position(), departed=(Departure(STATE.account_id, at(hours), "event"),))


def rows(patches: list[Patch], last: LastRow | None = None) -> list[tuple[datetime, datetime | None, str]]:
    """
    Return what is inserted into the history.
    """
    writes = merge_patches(patches)
    write = writes.history([STATE.account_id], {STATE.account_id: last} if last else {})
    found: list[tuple[datetime, datetime | None, str]] = [
        (row.valid_from, row.valid_to, row.state.name) for row in write.rows
    ]
    for account_id in (account_id for account_ids in write.begun.values() for account_id in account_ids):
        state = writes.steps[account_id][-1].state
        assert state is not None
        found.append((write.since[account_id], None, state.name))
    return found


def test_states_of_one_batch_follow_each_other() -> None:
    """
    Each ends where the next one starts, and the last one is open.
    """
    assert [(at(1), at(2), "a"), (at(2), at(5), "b"), (at(5), None, "c")] == rows(
        [present(1, "a"), present(2, "b"), present(5, "c")]
    )


def test_of_states_of_one_moment_the_last_one_stands() -> None:
    """
    What held for no time was not.
    """
    assert [(at(1), None, "b")] == rows([present(1, "a"), present(1, "b")])


def test_a_stored_row_ends_where_the_first_new_one_starts() -> None:
    """
    Or goes, if it held for no time.
    """
    later = merge_patches([present(3)]).history([STATE.account_id], {STATE.account_id: LastRow(at(1), None)})
    same = merge_patches([present(1)]).history([STATE.account_id], {STATE.account_id: LastRow(at(1), None)})

    assert ({STATE.account_id: (at(1), at(3))}, {}) == (later.closed, later.replaced)
    assert ({}, {STATE.account_id: at(1)}) == (same.closed, same.replaced)


def test_an_account_that_leaves_has_no_open_row() -> None:
    """
    Its row of the view goes as well.
    """
    writes = merge_patches([present(1), gone(4)])

    assert [(at(1), at(4), "shop")] == rows([present(1), gone(4)])
    assert {STATE.account_id: None} == {name: steps[-1].state for name, steps in writes.steps.items()}


def test_an_account_that_comes_back_has_a_gap() -> None:
    """
    It was not there in between.
    """
    assert [(at(1), at(2), "a"), (at(6), None, "b")] == rows([present(1, "a"), gone(2), present(6, "b")])


def test_one_that_comes_back_before_it_left_starts_where_it_left() -> None:
    """
    Late events do not make two rows hold at once, and the view says the same as the history.
    """
    last = LastRow(at(1), at(5))
    write = merge_patches([present(3)]).history([STATE.account_id], {STATE.account_id: last})

    assert [(at(5), None, "shop")] == rows([present(3)], last)
    assert {STATE.account_id: at(5)} == write.since


steps = st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=1, max_size=12)


@given(steps, st.none() | st.tuples(st.integers(0, 5), st.none() | st.integers(6, 9)))
def test_rows_never_overlap_and_are_never_empty(
    history: list[tuple[bool, int]], stored: tuple[int, int | None] | None
) -> None:
    """
    Whatever the order of times, also against what is stored.
    """
    last = LastRow(at(stored[0]), None if stored[1] is None else at(stored[1])) if stored else None
    found = rows([present(hours) if here else gone(hours) for here, hours in history], last)
    floor = (last.valid_to or last.valid_from) if last else at(0)

    assert all(start < end for start, end, _ in found if end is not None)
    assert all(before[1] is not None and before[1] <= after[0] for before, after in pairwise(found))
    assert all(floor <= start for start, _, _ in found)


def test_a_permission_set_is_kept_with_its_verdicts() -> None:
    """
    A later patch that names the set without them takes nothing away.
    """
    full = PermissionState("permissions", {}, {("s3", "GetObject"): "allowed"})
    named = replace(full, verdicts=None)
    patches = [Patch(ORGANIZATION, Position(), permission_sets=(each,)) for each in (full, named)]

    assert {"permissions": full} == merge_patches(patches).permission_sets
    assert {} == merge_patches(patches[1:]).permission_sets


verdicts = st.dictionaries(
    st.tuples(st.sampled_from(["ec2", "iam", "s3"]), st.sampled_from(["A", "B", "C"])),
    st.sampled_from(["allowed", "conditional", "denied"]),
    min_size=1,
)


@given(verdicts)
def test_compressed_verdicts_say_what_the_whole_did(given_verdicts: dict[tuple[str, str], str]) -> None:
    """
    The exception, else the service, else the set: as the view in SQL reads them.
    """
    common, services = compress_verdicts(given_verdicts)
    by_name = {service.service: service for service in services}

    for (service, action), verdict in given_verdicts.items():
        entry = by_name.get(service)
        assert verdict == (common if entry is None else entry.exceptions.get(action, entry.verdict))
