"""
Which combinations of string patterns can hold at once, decided by automata.

The patterns of one dimension cut all strings into finitely many classes: two strings are in one class if
the same patterns match them. The classes are found by walking the product of all patterns, state by state,
so nothing is sampled and nothing that cannot happen is listed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rooftree.permissions.bounds import MAX_VISITS, TooComplexError
from rooftree.permissions.glob import Atom, CharSet, Glob, Token

__all__ = [
    "ACTIONS",
    "ACTION_STARTS",
    "RESOURCES",
    "RESOURCE_STARTS",
    "STRINGS",
    "STRING_STARTS",
    "VALUES",
    "Product",
    "Start",
    "State",
    "StringClass",
    "Universe",
    "classes_of",
    "mask_of",
    "partition",
    "principal_starts",
]


@dataclass(frozen=True, slots=True)
class StringClass:
    """
    Strings that the same atoms match.

    Attributes:
        signature: The indexes of the atoms that match, as a bit mask.
        witness: One such string.
    """

    signature: int
    witness: str


@dataclass(frozen=True, slots=True)
class Universe:
    """
    The strings that exist in a dimension, as a small automaton over *modes*.

    Attributes:
        name: Tells universes apart.
        step: The next mode after a character, or ``None`` where no string goes on so.
        accepts: Whether a string may end in a mode.
        free: Whether from this mode every further string over the same characters exists.
        special: Characters that must be looked at one by one in a mode.
        letters: Characters to stand for all those that no pattern names, most readable first.
        closed: Whether no strings exist but those over *letters* and *special* characters.
    """

    name: str
    step: Callable[[int, str], int | None]
    accepts: Callable[[int], bool]
    free: Callable[[int], bool]
    special: Callable[[int], str]
    letters: str
    closed: bool = False

    def spells(self, text: str) -> bool:
        """
        Tell whether all of these characters may occur where the universe is free.
        """
        return not self.closed or all(char in self.letters for char in text)


@dataclass(frozen=True, slots=True)
class Start:
    """
    Where strings of a universe begin: a fixed prefix, and the mode after it.
    """

    prefix: str
    mode: int


_WORD: Final = "xabcdefghijklmnopqrstuvwyz0123456789-_"
_TEXT: Final = "xabcdefghijklmnopqrstuvwyz0123456789-_XABCDEFGHIJKLMNOPQRSTUVWYZ.~!@#%&+=,;()[]{}<>|^'\"\\`/ $§¶µ¿×÷"


def _action_step(mode: int, char: str) -> int | None:
    if char == ":":
        return 2 if mode == 1 else None
    if char not in _WORD:
        return None
    return 1 if mode < 2 else 3


ACTIONS: Final = Universe(
    # a service prefix, a colon, a name; case is folded. Mode 1: in the prefix, 3: in the name.
    name="actions",
    step=_action_step,
    accepts=lambda mode: mode == 3,
    free=lambda mode: mode == 3,
    special=lambda mode: ":" if mode == 1 else "",
    letters=_WORD,
    closed=True,
)

RESOURCES: Final = Universe(
    # an ARN with its six fields (modes count the colons, 6 once the last field has begun) or, mode 9, a lone `*`
    name="resources",
    step=lambda mode, char: None if mode == 9 else 6 if mode >= 5 else mode + 1 if char == ":" else mode,
    accepts=lambda mode: mode in (6, 9),
    free=lambda mode: mode == 6,
    special=lambda mode: ":" if mode < 5 else "",
    letters=_TEXT,
)

STRINGS: Final = Universe(
    name="strings",
    step=lambda _mode, _char: 0,
    accepts=lambda _mode: True,
    free=lambda _mode: True,
    special=lambda _mode: "",
    letters=_TEXT,
)

VALUES: Final = Universe(
    # one of several values of a key: the empty text does not count as one
    name="values",
    step=lambda _mode, _char: 1,
    accepts=lambda mode: mode == 1,
    free=lambda mode: mode == 1,
    special=lambda _mode: "",
    letters=_TEXT,
)

ACTION_STARTS: Final = (Start("", 0),)
RESOURCE_STARTS: Final = (Start("*", 9), Start("arn:", 1))
STRING_STARTS: Final = (Start("", 0),)


def principal_starts(partition: str) -> tuple[Start, ...]:
    """
    Return how the ARNs of principals begin in an AWS partition: resources of two services without a region.
    """
    return tuple(Start(f"arn:{partition}:{service}::", 4) for service in ("iam", "sts"))


@lru_cache(maxsize=4096)
def partition(
    universe: Universe, starts: tuple[Start, ...], rests: tuple[tuple[frozenset[Glob], ...], ...]
) -> tuple[StringClass, ...]:
    """
    Return every class that is not empty, each with a witness, ordered by signature.

    *rests* holds, for each start, what is left of each atom after the prefix of that start.

    Raises:
        TooComplexError: If there are too many states to walk.
    """
    walk = _Walk(universe)
    for start, left in zip(starts, rests, strict=True):
        walk.run(start, left)
    return walk.classes()


def classes_of(universe: Universe, starts: tuple[Start, ...], atoms: Sequence[Atom]) -> tuple[StringClass, ...]:
    """
    Return the classes into which *atoms* cut the strings of a universe; see `partition`.
    """
    return partition(universe, starts, tuple(tuple(atom.after(start.prefix) for atom in atoms) for start in starts))


State = tuple[int, frozenset[int], int]
"""The mode, the positions in globs still open, and the atoms that match whatever follows."""


class Product:
    """
    The automaton that reads a string for a universe and all atoms at once, state by state.

    The positions of all globs are numbered through: that of a glob's end follows those of its tokens.
    """

    def __init__(self, universe: Universe) -> None:
        self.universe: Final = universe
        self._tokens: list[Token | None] = []
        self._atom: list[int] = []
        self._end: list[int] = []
        self._visits = 0

    def start(self, mode: int, rests: Sequence[frozenset[Glob]]) -> State:
        """
        Return the state in which the globs of each atom still are to be read.
        """
        positions: set[int] = set()
        for atom, globs in enumerate(rests):
            for glob in globs:
                self._open(positions, self._number(atom, glob))
        return self._settle(mode, positions, 0)

    def ended(self, state: State) -> int | None:
        """
        Return the atoms that match a string that ends here; ``None`` if no string of the universe does.
        """
        mode, positions, settled = state
        if not self.universe.accepts(mode):
            return None
        return settled | mask_of(self._atom[position] for position in positions if self._tokens[position] is None)

    def settled(self, state: State) -> int | None:
        """
        Return the atoms that match whatever follows, if nothing else depends on it; ``None`` otherwise.
        """
        mode, positions, settled = state
        return settled if not positions and self.universe.free(mode) else None

    def moves(self, state: State) -> Iterator[tuple[str, bool, State | None]]:
        """
        Yield one character for each way to go on, whether it stands for all that are not named, and where it leads.

        It leads to ``None`` where no string of the universe goes on so.

        Raises:
            TooComplexError: If too much has been looked at.
        """
        mode, positions, settled = state
        self._visits += len(positions) + 1
        if self._visits > MAX_VISITS:
            raise TooComplexError
        for char, others, reached in self._steps(mode, positions):
            following = self.universe.step(mode, char)
            yield char, others, None if following is None else self._settle(following, reached, settled)

    def _number(self, atom: int, glob: Glob) -> int:
        first = len(self._tokens)
        self._tokens += [*glob, None]
        self._atom += [atom] * (len(glob) + 1)
        self._end += [first + len(glob)] * (len(glob) + 1)
        return first

    def _open(self, positions: set[int], position: int) -> None:
        """
        Add a position with all those reached from it by reading nothing.
        """
        positions.add(position)
        while (token := self._tokens[position]) is not None and token.star:
            position += 1
            positions.add(position)

    def _settle(self, mode: int, positions: set[int], settled: int) -> State:
        """
        Take atoms that match whatever follows out of the positions.
        """
        for position in positions:
            token = self._tokens[position]
            if token is not None and token.star and token.chars is CharSet.ANY and position + 1 == self._end[position]:
                settled |= 1 << self._atom[position]
        if settled:
            positions = {position for position in positions if not settled >> self._atom[position] & 1}
        return mode, frozenset(positions), settled

    def _steps(self, mode: int, state: frozenset[int]) -> Iterator[tuple[str, bool, set[int]]]:
        named: dict[str, set[int]] = {char: set() for char in self.universe.special(mode)}
        always: set[int] = set()
        in_field: set[int] = set()
        for position in state:
            token = self._tokens[position]
            if token is None:
                continue
            following = position if token.star else position + 1
            if token.chars is CharSet.ANY:
                self._open(always, following)
            elif token.chars is CharSet.NOT_COLON:
                named.setdefault(":", set())
                self._open(in_field, following)
            else:
                for char in token.chars:
                    self._open(named.setdefault(char, set()), following)
        other = next((char for char in self.universe.letters if char not in named), None)
        if other is not None:
            yield other, True, always | in_field
        for char in sorted(named):
            yield char, False, named[char] | always | (in_field if char != ":" else set())


class _Walk(Product):
    """
    A breadth-first walk over a product, which notes each class that it comes by.
    """

    def __init__(self, universe: Universe) -> None:
        super().__init__(universe)
        self._found: dict[int, str] = {}

    def classes(self) -> tuple[StringClass, ...]:
        return tuple(StringClass(signature, self._found[signature]) for signature in sorted(self._found))

    def run(self, start: Start, rests: Sequence[frozenset[Glob]]) -> None:
        first = self.start(start.mode, rests)
        queue = deque([(first, start.prefix)])
        seen = {first}
        while queue:
            state, text = queue.popleft()
            ended = self.ended(state)
            if ended is not None:
                self._found.setdefault(ended, text)
            if self.universe.free(state[0]) and self._finish(state[1], state[2], text):
                continue
            for char, _others, target in self.moves(state):
                if target is not None and target not in seen:
                    seen.add(target)
                    queue.append((target, text + char))

    def _finish(self, state: frozenset[int], settled: int, text: str) -> bool:
        """
        Close a state in which at most one glob is still open; tell whether that was so.

        INVARIANT: an open glob both matches some rest and misses another, since runs of wildcards are in one form.
        If it can end here, it does not end in a star: past its last star it names a character, or it has a fixed
        length, and a long run of a character that it does not name misses it. Otherwise the empty rest does.
        """
        if not state:
            return True
        first, end = min(state), self._end[min(state)]
        if max(state) > end:
            return False
        named = "".join(token.chars for token in self._rest(first) if isinstance(token.chars, str))
        strange = next((char for char in self.universe.letters if char not in named), None)
        if strange is None or not self.universe.spells(named):
            return False
        shortest = _shortest(self._rest(max(state)), strange)
        self._found.setdefault(settled | 1 << self._atom[first], text + shortest)
        self._found.setdefault(settled, text + strange * (end - first + 1) if end in state else text)
        return True

    def _rest(self, position: int) -> list[Token]:
        return [token for token in self._tokens[position : self._end[position]] if token is not None]


def mask_of(indexes: Iterable[int]) -> int:
    """
    Return the mask of some indexes.
    """
    mask = 0
    for index in indexes:
        mask |= 1 << index
    return mask


def _shortest(glob: Iterable[Token], strange: str) -> str:
    """
    Return the shortest string that *glob* matches.
    """
    return "".join(token.chars[0] if isinstance(token.chars, str) else strange for token in glob if not token.star)
