"""
Parted languages in canonical form: the least automaton that tells for each string in which part it lies.

Two partitions of the same strings are equal if and only if these automata are, whatever patterns they came from.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rooftree.permissions.glob import Glob
from rooftree.permissions.language import Product, Start, State, Universe

__all__ = ["Parting", "forget_partings", "parting_of"]

OUTSIDE = -1
"""The label of strings that do not exist."""

Labelling = tuple[tuple[int, int], ...]
"""For each signature the label of its strings; others are `OUTSIDE`."""


@dataclass(frozen=True, slots=True)
class Parting:
    """
    A partition of strings.

    Attributes:
        digest: What only equal partitions share.
        labels: The labels in the order in which the automaton comes by them, which is the same for equal partitions.
    """

    digest: str
    labels: tuple[int, ...]


@lru_cache(maxsize=16384)
def parting_of(
    universe: Universe,
    starts: tuple[Start, ...],
    rests: tuple[tuple[frozenset[Glob], ...], ...],
    labelling: Labelling,
    bounds: int,
) -> Parting:
    """
    Return the canonical form of a partition.

    *rests* holds, for each start, what is left of each atom after its prefix. The last atoms, as many as *bounds*, are
    not looked up: a string exists if one of them matches it and the very last does not. Without bounds, all exist.

    Raises:
        TooComplexError: If there are too many states to walk.
    """
    labels = dict(labelling)
    product = Product(universe)
    count = len(rests[0]) - bounds
    barring = 1 << (bounds - 1) if bounds else 0

    def label(signature: int | None) -> int:
        if signature is None or (bounds and not 0 < signature >> count < barring):
            return OUTSIDE
        return labels.get(signature & ((1 << count) - 1), OUTSIDE)

    graph = _Graph(product, label)
    roots = [graph.explore(product.start(start.mode, left)) for start, left in zip(starts, rests, strict=True)]
    classes = _Classes(universe)
    for component in _components(graph.nodes):
        classes.take(graph.nodes, component)
    return classes.parting([(start.prefix, classes.of(root)) for start, root in zip(starts, roots, strict=True)])


def forget_partings() -> None:
    """
    Drop the canonical forms that were found.
    """
    parting_of.cache_clear()


@dataclass(slots=True)
class _Node:
    """
    A state: the label of strings that end here, where all characters lead, and where some lead instead.
    """

    label: int
    default: int
    named: dict[str, int]

    def targets(self) -> Iterator[int]:
        yield self.default
        yield from self.named.values()


class _Graph:
    """
    The states that can be reached, as numbered nodes.

    A state after which nothing makes a difference leads to itself, and no string goes on from the first.
    """

    def __init__(self, product: Product, label: Callable[[int | None], int]) -> None:
        self._product = product
        self._label = label
        self._numbers: dict[State | tuple[str, int], int] = {}
        self.nodes: list[_Node] = []
        self._constant(OUTSIDE)

    def explore(self, first: State) -> int:
        root = self._number(first)
        queue = deque([(first, root)] if self._product.settled(first) is None else [])
        seen = {root}
        while queue:
            state, number = queue.popleft()
            node = self.nodes[number]
            node.label = self._label(self._product.ended(state))
            for char, others, target in self._product.moves(state):
                reached = 0 if target is None else self._number(target)
                if others:
                    node.default = reached
                else:
                    node.named[char] = reached
                if target is not None and reached not in seen:
                    seen.add(reached)
                    if self._product.settled(target) is None:
                        queue.append((target, reached))
        return root

    def _number(self, state: State) -> int:
        settled = self._product.settled(state)
        if settled is not None:
            return self._constant(self._label(settled))
        number = self._numbers.get(state)
        if number is None:
            number = self._numbers[state] = len(self.nodes)
            self.nodes.append(_Node(OUTSIDE, 0, {}))
        return number

    def _constant(self, label: int) -> int:
        number = self._numbers.get(("all", label))
        if number is None:
            number = self._numbers["all", label] = len(self.nodes)
            self.nodes.append(_Node(label, number, {}))
        return number


Key = tuple[object, ...]


class _Classes:
    """
    Nodes that the same strings tell apart, numbered in the order in which they are found to be new.

    INVARIANT: components come in an order in which each is later than those that it leads to.
    """

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self._of_node: dict[int, int] = {}
        self._known: dict[Key, int] = {}
        self._nodes: list[_Node] = []
        self._circles: dict[Key, list[range]] = {}

    def of(self, node: int) -> int:
        return self._of_node[node]

    def take(self, nodes: Sequence[_Node], component: Sequence[int]) -> None:
        """
        Find the classes of a component.
        """
        if len(component) == 1:
            self._take_one(nodes[component[0]], component[0])
            return
        self._settle(nodes, component, *self._refine(nodes, component, ()))

    def _settle(
        self, nodes: Sequence[_Node], component: Sequence[int], parts: dict[int, int], known: dict[int, int]
    ) -> None:
        """
        Give the nodes of a component their classes: old ones where a part holds one, and else new ones.
        """
        members: dict[int, int] = {}
        for number in component:
            if parts[number] in known:
                self._of_node[number] = known[parts[number]]
            else:
                members.setdefault(parts[number], number)
        fresh = [number for number in component if parts[number] in members]
        if len(members) == 1:
            self._take_alike(self._reduced_alone(nodes[fresh[0]], set(fresh)), fresh)
        elif members and not self._seen_before(nodes, component, self._look(nodes, parts, members)):
            self._take_several(nodes, parts, members, fresh)

    def _look(self, nodes: Sequence[_Node], parts: dict[int, int], members: dict[int, int]) -> Key:
        """
        Return what equal components have in common, and few others.
        """

        def told(number: int) -> tuple[bool, int]:
            return (True, parts[number]) if number in parts else (False, self._of_node[number])

        rows = []
        for number in members.values():
            node = nodes[number]
            default = told(node.default)
            rows.append((node.label, sorted(char for char, target in node.named.items() if told(target) != default)))
        return tuple(map(str, sorted(rows)))

    def _seen_before(self, nodes: Sequence[_Node], component: Sequence[int], look: Key) -> bool:
        """
        Tell whether a component is one that was found before, and if so give it the same classes.
        """
        for classes in self._circles.get(look, ()):
            parts, known = self._refine(nodes, component, classes)
            if all(parts[number] in known for number in component):
                self._settle(nodes, component, parts, known)
                return True
        self._circles.setdefault(look, []).append(range(len(self._nodes), len(self._nodes) + len(look)))
        return False

    def _take_several(
        self, nodes: Sequence[_Node], parts: dict[int, int], members: dict[int, int], component: Sequence[int]
    ) -> None:
        fresh = {part: len(self._nodes) + place for place, part in enumerate(members)}
        for number in component:
            self._of_node[number] = fresh[parts[number]]
        for number in members.values():
            node = self._reduced(nodes[number])
            self._known.setdefault(self._key(node), len(self._nodes))
            self._nodes.append(node)

    def _take_one(self, node: _Node, number: int) -> None:
        if number not in node.targets():
            self._of_node[number] = self._intern(self._reduced(node))
            return
        for target in {target for target in node.targets() if target != number}:
            # it may be told apart by nothing from a class that it leads to
            self._of_node[number] = self._of_node[target]
            if self._key(self._reduced(node)) == self._key(self._nodes[self._of_node[target]]):
                return
        self._take_alike(self._reduced_alone(node, {number}), [number])

    def _take_alike(self, alone: _Node, component: Sequence[int]) -> None:
        """
        Intern a node that leads to itself, written as ``SELF``.
        """
        key = ("self", *self._key(alone))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self._nodes)
            named = {char: found if target == SELF else target for char, target in alone.named.items()}
            self._nodes.append(_Node(alone.label, found if alone.default == SELF else alone.default, named))
            self._known.setdefault(self._key(self._nodes[found]), found)
        for number in component:
            self._of_node[number] = found

    def _intern(self, node: _Node) -> int:
        key = self._key(node)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self._nodes)
            self._nodes.append(node)
        return found

    @staticmethod
    def _key(node: _Node) -> Key:
        return node.label, node.default, frozenset(node.named.items())

    def _reduced(self, node: _Node) -> _Node:
        return self._lean(node.label, self._of_node[node.default], {c: self._of_node[t] for c, t in node.named.items()})

    def _reduced_alone(self, node: _Node, own: set[int]) -> _Node:
        def target(number: int) -> int:
            return SELF if number in own else self._of_node[number]

        return self._lean(node.label, target(node.default), {char: target(to) for char, to in node.named.items()})

    def _lean(self, label: int, default: int, named: dict[str, int]) -> _Node:
        """
        Leave out characters that lead where all others do. Where characters are few, most decide what that is.
        """
        if self._universe.closed:
            counts: dict[int, int] = {default: 0}
            letters = [char for char in self._universe.letters if char not in named]
            counts[default] += len(letters)
            for target in named.values():
                counts[target] = counts.get(target, 0) + 1
            most = max(counts, key=lambda target: (counts[target], target == default))
            if most != default:
                named = {**dict.fromkeys(letters, default), **named}
                default = most
        return _Node(label, default, {char: target for char, target in named.items() if target != default})

    def _refine(
        self, nodes: Sequence[_Node], component: Sequence[int], others: Iterable[int]
    ) -> tuple[dict[int, int], dict[int, int]]:
        """
        Part the nodes of a component, and the classes that it leads to, until no character tells those of one apart.

        Some *other* classes are taken in as well.

        Return the part of each node, and the class in each part that holds one.
        """
        inside = set(component)
        rows: dict[tuple[bool, int], tuple[int, _Row]] = {}
        waiting: list[tuple[bool, int]] = [(True, number) for number in component]
        waiting += [(False, number) for number in others]
        while waiting:
            entry = waiting.pop()
            if entry in rows:
                continue
            own, number = entry
            node = nodes[number] if own else self._nodes[number]

            def place(target: int, *, own: bool = own) -> tuple[bool, int]:
                if own and target not in inside:
                    return False, self._of_node[target]
                return own, target

            named = tuple((char, place(target)) for char, target in sorted(node.named.items()))
            row = (place(node.default), named)
            rows[entry] = (node.label, row)
            waiting += [row[0], *(target for _char, target in named)]
        parts = _refined(rows)
        return (
            {number: parts[True, number] for number in component},
            {part: number for (own, number), part in parts.items() if not own},
        )

    def parting(self, roots: Iterable[tuple[str, int]]) -> Parting:
        """
        Number the classes in the order in which they are reached, and the labels likewise.
        """
        numbers: dict[int, int] = {}
        labels: dict[int, int] = {OUTSIDE: 0}
        queue: deque[int] = deque()

        def reached(number: int) -> int:
            if number not in numbers:
                numbers[number] = len(numbers)
                queue.append(number)
            return numbers[number]

        told: list[object] = [[(prefix, reached(root)) for prefix, root in roots]]
        while queue:
            node = self._nodes[queue.popleft()]
            label = labels.setdefault(node.label, len(labels))
            told.append((label, reached(node.default), [(c, reached(node.named[c])) for c in sorted(node.named)]))
        digest = hashlib.blake2b(repr(told).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return Parting(digest, tuple(label for label in labels if label != OUTSIDE))


SELF = -1

_Place = tuple[bool, int]
_Row = tuple[_Place, tuple[tuple[str, _Place], ...]]


def _refined(rows: dict[_Place, tuple[int, _Row]]) -> dict[_Place, int]:
    """
    Return the coarsest parts of which no character tells two places apart, given labels and where characters lead.
    """
    parts = {place: label for place, (label, _row) in rows.items()}
    count = len(set(parts.values()))
    while True:
        keys: dict[Key, int] = {}
        refined = {}
        for place, (_label, (default, named)) in rows.items():
            usual = parts[default]
            told = frozenset((char, parts[target]) for char, target in named if parts[target] != usual)
            refined[place] = keys.setdefault((parts[place], usual, told), len(keys))
        if len(keys) == count:
            return refined
        parts, count = refined, len(keys)


def _components(nodes: Sequence[_Node]) -> Iterator[list[int]]:
    """
    Yield the strongly connected components, each after those that it leads to (Tarjan's way, without recursion).
    """
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    done: set[int] = set()
    for first in range(len(nodes)):
        work = [] if first in order else [(first, nodes[first].targets())]
        while work:
            number, targets = work[-1]
            if number not in order:
                order[number] = low[number] = len(order)
                stack.append(number)
            for target in targets:
                if target not in order:
                    work.append((target, nodes[target].targets()))
                    break
                if target not in done:
                    low[number] = min(low[number], low[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[number])
                if low[number] == order[number]:
                    component = stack[stack.index(number) :]
                    del stack[-len(component) :]
                    done.update(component)
                    yield component
