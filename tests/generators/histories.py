"""
Histories of organizations: realistic changes in their true order, and the disorder in which they are delivered.

Everything is drawn from the `random.Random` that is handed in, so that a seed makes the same history again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter
from tests.generators.model import FULL_ACCESS_ID, SCP, Model, ModelAccount, ModelPolicy
from tests.generators.policies import CONTENTS
from tests.generators.rosters import Roster, RosterEvents

from rooftree.organization.timestamps import format_time

__all__ = ["PARTITIONS", "Event", "Historian", "History", "deliver", "disorders", "generate_history", "histories"]

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
SOURCE = "rooftree.generator"
TEAMS = ("shop", "billing", "search", "media", "data", "platform", "payments", "identity")
PARTITIONS = st.sampled_from(("aws", "aws", "aws-us-gov"))
STAGES = ("prod", "test", "dev", "sandbox")


@dataclass(frozen=True)
class Event:
    """
    One change event.
    """

    id: str
    type: str
    time: datetime
    sequence: str
    actor: str
    data: Mapping[str, object]

    def to_json(self) -> dict[str, object]:
        """
        Return the event as CloudEvents 1.0.
        """
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": SOURCE,
            "type": self.type,
            "time": format_time(self.time),
            "sequence": self.sequence,
            "actor": self.actor,
            "data": self.data,
        }

    def to_bytes(self) -> bytes:
        """
        Return the value of the record.
        """
        return json.dumps(self.to_json()).encode()


@dataclass(frozen=True)
class History:
    """
    What happened to an organization, in order, and what that came to.
    """

    organization_id: str
    events: tuple[Event, ...]
    outcome: Model

    def _repr_pretty_(self, printer: RepresentationPrinter, _cycle: bool) -> None:  # noqa: FBT001
        # To show all of it with a failure takes longer than the test; the seed makes it again.
        printer.text(f"<history of {len(self.events)} events>")

    @property
    def records(self) -> list[bytes]:
        """
        Return the values of the records, in order.
        """
        return [event.to_bytes() for event in self.events]


class Historian:
    """
    Makes things happen to an organization, and tells each as an event.
    """

    def __init__(self, random: Random, organization_id: str, number: int = 0, partition: str = "aws") -> None:
        self.random = random
        self.number = number
        self.model = Model(organization_id, root_id="r-ab12", partition=partition)
        self.events: list[Event] = []
        self.time = START
        self.ids = 0

    def tell(self, event_type: str, data: Mapping[str, object]) -> None:
        """
        Tell an event with its data as it is.
        """
        # CloudTrail gives times of one second, and people click faster.
        self.time += timedelta(seconds=self.random.choice((0, 0, 1, 7, 600)))
        index = len(self.events)
        self.events.append(
            Event(
                id=f"{self.model.organization_id}-{index}",
                type=f"rooftree.{event_type}.v1",
                time=self.time,
                sequence=f"{index:08d}",
                actor=f"arn:aws:iam::111111111111:user/{self.random.choice(TEAMS)}",
                data=data,
            )
        )

    def say(self, event_type: str, **data: object) -> None:
        """
        Tell an event of this organization.
        """
        self.tell(event_type, {"organization_id": self.model.organization_id, **data})

    def next_id(self) -> int:
        """
        Return a number that was not given yet.
        """
        self.ids += 1
        return self.ids

    def begin(self, units: int, accounts: int, policies: int) -> None:
        """
        Begin with a snapshot, or with nothing but the events.
        """
        model = self.model
        from_snapshot = self.random.random() < 0.7
        if from_snapshot:
            management = f"{111_111_111_111 + self.number}"
            model.management_account_id = management
            model.accounts[management] = ModelAccount("management", "aws@example.com", model.root_id)
            model.enable()
        else:
            self.enable_type()
        for create, count in (
            (self.create_unit, units),
            (self.create_policy, policies),
            (self.create_account, accounts),
        ):
            for _ in range(count):
                create()
        if from_snapshot:
            self.events.clear()
            self.take_snapshot()

    def parents(self) -> list[str]:
        """
        Return the nodes that accounts and units can stand under.
        """
        return [self.model.root_id, *self.model.units]

    def members(self) -> list[str]:
        """
        Return the accounts that can be moved about.
        """
        return [account for account in self.model.accounts if account != self.model.management_account_id]

    def create_unit(self) -> None:
        """
        Create a unit anywhere.
        """
        unit, name, parent = (
            f"ou-ab12-{self.next_id():08d}",
            self.random.choice(TEAMS),
            self.random.choice(self.parents()),
        )
        self.model.units[unit] = (name, parent)
        self.model.create(unit)
        self.say("ou.created", ou_id=unit, name=name, parent_id=parent)

    def rename_unit(self) -> None:
        """
        Give a unit another name.
        """
        if self.model.units:
            unit = self.random.choice(list(self.model.units))
            name = self.random.choice(TEAMS)
            self.model.units[unit] = (name, self.model.units[unit][1])
            self.say("ou.renamed", ou_id=unit, name=name)

    def delete_unit(self) -> None:
        """
        Delete a unit that nothing stands under.
        """
        used = {parent for _, parent in self.model.units.values()}
        used |= {account.parent_id for account in self.model.accounts.values()}
        empty = [unit for unit in self.model.units if unit not in used]
        if empty:
            unit = self.random.choice(empty)
            del self.model.units[unit]
            self.model.forget(unit)
            self.say("ou.deleted", ou_id=unit)

    def create_account(self) -> None:
        """
        Create an account anywhere, or have one join.
        """
        account_id = f"{200_000_000_000 + 1_000_000 * self.number + self.next_id()}"
        name = f"{self.random.choice(TEAMS)}-{self.random.choice(STAGES)}"
        email = f"aws+{account_id}@example.com"
        # An account that is invited starts at the root, and nothing is said of its parent.
        parent = self.random.choice([None, *self.parents()])
        self.model.accounts[account_id] = ModelAccount(name, email, parent or self.model.root_id)
        self.model.create(account_id)
        told = {} if parent is None else {"parent_id": parent}
        self.say("account.created", account_id=account_id, name=name, email=email, status="ACTIVE", **told)

    def rename_account(self) -> None:
        """
        Give an account another name.
        """
        if self.members():
            account_id = self.random.choice(self.members())
            name = f"{self.random.choice(TEAMS)}-{self.random.choice(STAGES)}"
            self.model.accounts[account_id].name = name
            self.say("account.updated", account_id=account_id, name=name)

    def move_account(self) -> None:
        """
        Move an account anywhere.
        """
        if self.members():
            account_id, parent = self.random.choice(self.members()), self.random.choice(self.parents())
            self.model.accounts[account_id].parent_id = parent
            self.say("account.moved", account_id=account_id, parent_id=parent)

    def close_account(self) -> None:
        """
        Close an account.
        """
        if self.members():
            account_id = self.random.choice(self.members())
            self.model.accounts[account_id].status = "SUSPENDED"
            self.say("account.closed", account_id=account_id, status="SUSPENDED")

    def remove_account(self) -> None:
        """
        Remove an account, which may come back at once.
        """
        if self.members():
            account_id = self.random.choice(self.members())
            account = self.model.accounts.pop(account_id)
            self.model.forget(account_id)
            self.say("account.removed", account_id=account_id)
            if self.random.random() < 0.5:
                parent = self.random.choice(self.parents())
                self.model.accounts[account_id] = ModelAccount(account.name, account.email, parent)
                self.model.create(account_id)
                self.say(
                    "account.created", account_id=account_id, name=account.name, email=account.email, parent_id=parent
                )

    def create_policy(self) -> None:
        """
        Create a policy.
        """
        policy, name = f"p-{self.next_id():08d}", self.random.choice(list(CONTENTS))
        content = self._content(name)
        self.model.policies[policy] = ModelPolicy(name, content)
        self.say("policy.created", policy_id=policy, policy_type=SCP, name=name, content=self._spell(content))

    def update_policy(self) -> None:
        """
        Give a policy another text.
        """
        if self.model.policies:
            policy, name = self.random.choice(list(self.model.policies)), self.random.choice(list(CONTENTS))
            self.model.policies[policy].content = content = self._content(name)
            self.say("policy.updated", policy_id=policy, content=self._spell(content))

    def delete_policy(self) -> None:
        """
        Delete a policy that hangs nowhere.
        """
        used = {policy for _, policy in self.model.attachments}
        idle = [policy for policy in self.model.policies if policy not in used]
        if idle:
            policy = self.random.choice(idle)
            del self.model.policies[policy]
            self.say("policy.deleted", policy_id=policy)

    def attach(self) -> None:
        """
        Attach a policy where it does not hang.
        """
        free = [
            (node, policy)
            for node in self.model.nodes
            for policy in (FULL_ACCESS_ID, *self.model.policies)
            if (node, policy) not in self.model.attachments
        ]
        if self.model.enabled and free:
            target, policy = self.random.choice(free)
            self.model.attachments.add((target, policy))
            self.say("policy.attached", policy_id=policy, target_id=target)

    def detach(self) -> None:
        """
        Detach a policy.
        """
        # AWS refuses to take the last policy off a node.
        loose = [hanging for hanging in sorted(self.model.attachments) if len(self.model.attached(hanging[0])) > 1]
        if self.model.enabled and loose:
            target, policy = self.random.choice(loose)
            self.model.attachments.remove((target, policy))
            self.say("policy.detached", policy_id=policy, target_id=target)

    def enable_type(self) -> None:
        """
        Enable service control policies.
        """
        if not self.model.enabled:
            self.model.enable()
            self.say("policy_type.enabled", policy_type=SCP)

    def disable_type(self) -> None:
        """
        Disable service control policies.
        """
        if self.model.enabled:
            self.model.disable()
            self.say("policy_type.disabled", policy_type=SCP)

    def take_snapshot(self) -> None:
        """
        Tell the whole state, at times without the partition, which stays what it is.
        """
        if self.model.management_account_id is None:
            self.model.management_account_id = f"{999_999_999_999 - self.number}"
        # Deep enough a copy: the model goes on changing.
        told = json.loads(json.dumps(self.model.snapshot()))
        if "partition" in told["organization"] and self.random.random() < 0.3:
            del told["organization"]["partition"]
        self.tell("organization.snapshot", told)

    def change_principals(self) -> None:
        """
        Change a user, a group, a role or a policy of some account.
        """
        account_id = self.random.choice(["200000000001", *list(self.model.accounts)[:3]])
        roster = self.model.rosters.setdefault(account_id, Roster(account_id))
        told = len(self.events)
        for event_type, data in RosterEvents(self.random, roster, self._spell).something():
            self.say(event_type, account_id=account_id, **data)
        # The parts of a snapshot are of one moment.
        moments = [(event.time, event.sequence) for event in self.events[told : told + 1]]
        for time, sequence in moments:
            parts = [replace(event, time=time, sequence=sequence) for event in self.events[told:]]
            self.events[told:] = parts

    def watch(self) -> None:
        """
        Set or remove a probe.
        """
        name = self.random.choice(("first", "second", "third"))
        if name in self.model.probes and self.random.random() < 0.3:
            self.model.probes.remove(name)
            self.say("probe.removed", name=name)
            return
        self.model.probes.add(name)
        account_id = self.random.choice([*self.model.accounts, "200000000001", "555555555555"])
        kind = self.random.choice(("user/alice", "role/deploy", "role/team/deploy", "root"))
        self.say(
            "probe.set",
            name=name,
            principal=f"arn:aws:iam::{account_id}:{kind}",
            action=self.random.choice(("s3:GetObject", "ec2:RunInstances", "organizations:LeaveOrganization")),
            context={"aws:RequestedRegion": self.random.choice(("eu-west-1", "us-east-1"))},
            expect=self.random.choice(("allow", "deny")),
        )

    def _content(self, name: str) -> Mapping[str, object]:
        """
        Return what a policy says; outside of the partition that its text is written for it may have been adapted.
        """
        content = CONTENTS[name]
        if self.model.partition == "aws":
            return content
        named = self.random.choice((self.model.partition, self.model.partition, "*", "aws"))
        adapted: Mapping[str, object] = json.loads(json.dumps(content).replace("arn:aws:", f"arn:{named}:"))
        return adapted

    def _spell(self, content: Mapping[str, object]) -> object:
        """
        Write a policy one of the ways in which people and AWS write it.
        """
        return self.random.choice((content, json.dumps(content), json.dumps(content, indent=2)))


def generate_history(
    random: Random,
    *,
    organization_id: str = "o-exampleorg",
    number: int = 0,
    units: int = 3,
    accounts: int = 5,
    policies: int = 4,
    changes: int = 40,
    principals: int = 0,
    partition: str = "aws",
) -> History:
    """
    Return a history that begins with about this much and goes on for about this many changes.

    No account is in two organizations of different *number*.
    Of 17 kinds of changes to the organization each is as likely as every one of so many to *principals*, and of a
    quarter as many to probes.
    """
    historian = Historian(random, organization_id, number, partition)
    historian.begin(units, accounts, policies)
    often: Sequence[Callable[[], None]] = (
        *(historian.attach, historian.attach, historian.attach, historian.detach, historian.detach),
        *(historian.update_policy, historian.update_policy, historian.move_account, historian.move_account),
        *(historian.create_account, historian.create_policy, historian.create_unit, historian.rename_account),
        *(historian.rename_unit, historian.close_account, historian.remove_account, historian.delete_unit),
        *(historian.delete_policy, *(historian.change_principals,) * principals),
        *(historian.watch,) * (principals // 4),
    )
    seldom: Sequence[Callable[[], None]] = (
        historian.disable_type,
        historian.enable_type,
        historian.enable_type,
        historian.take_snapshot,
        historian.take_snapshot,
    )
    for _ in range(changes):
        random.choice(seldom if random.random() < 0.1 else often)()
    return History(organization_id, tuple(historian.events), historian.model)


def deliver(random: Random, events: Iterable[Event]) -> list[Event]:
    """
    Return the events as a network may deliver them: in any order, and some of them again.
    """
    events = list(events)
    delivered = [*events, *(event for event in events if random.random() < 0.3)]
    random.shuffle(delivered)
    return delivered


@st.composite
def histories(draw: st.DrawFn, *, changes: int = 40, principals: int = 4) -> History:
    """
    Return histories of all lengths; hypothesis shrinks the length, and the seed finds more than its own choices would.
    """
    random = Random(draw(st.integers(0, 2**32), label="seed"))
    return generate_history(
        random,
        units=2,
        accounts=3,
        policies=3,
        changes=draw(st.integers(0, changes)),
        principals=principals,
        partition=draw(PARTITIONS),
    )


def disorders() -> st.SearchStrategy[Random]:
    """
    Return what `deliver` draws from.
    """
    return st.integers(0, 2**32).map(Random)
