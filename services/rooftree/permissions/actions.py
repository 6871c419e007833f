"""
The dimension of actions, service by service.

Nearly every pattern of actions names its service, so the classes of one service's actions depend on few patterns.
They are remembered by these, and chains that share policies share them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from rooftree.permissions.catalog import catalog
from rooftree.permissions.dimension import Dimension, Kind, Point, ordered
from rooftree.permissions.glob import ANY_STRING, Atom, CharSet, Glob, glob_atom, rest_after, spelled
from rooftree.permissions.language import ACTION_STARTS, ACTIONS, Start, StringClass, classes_of, mask_of, partition
from rooftree.permissions.predicate import Term
from rooftree.policy.variables import Piece

__all__ = ["ActionDimension", "ServiceClasses", "action_dimension", "forget_classes"]

_BEHIND_COLON: Final = 2
"""The mode of the universe of actions before the first letter of a name."""

EVERY_SERVICE: Final = ""
"""Stands for the service of a pattern that does not name one."""


@dataclass(frozen=True)
class ActionDimension:
    """
    The classes of actions, and which known actions lie in each.

    Attributes:
        services: The services whose actions are told apart, each with its first point.
        others: The first point of the actions of all other services.
    """

    dimension: Dimension
    services: Mapping[str, tuple[int, ServiceClasses]]
    others: tuple[int, ServiceClasses]

    @cached_property
    def known(self) -> list[int]:
        """
        For each class, the known actions in it.
        """
        listed = [0] * len(self.dimension.points)
        remaining = catalog().all
        for service, (first, classes) in self.services.items():
            remaining &= ~catalog().services.get(service, 0)
            for number, actions in enumerate(classes.known):
                listed[first + number] = actions
        first, rest = self.others
        for number, point in enumerate(rest.points):
            if not self.dimension.beyond >> (first + number) & 1:
                listed[first + number] = _known_of(rest.patterns, point.signature, remaining)
        return listed


class ServiceClasses:
    """
    The classes of the actions of one service, and the points in each pattern.

    Attributes:
        patterns: What must follow the service and its colon; whole actions, where no service is named.
        start: Where the actions of the service begin.
    """

    def __init__(self, service: str, patterns: Sequence[frozenset[Glob]], classes: Sequence[StringClass]) -> None:
        self._service = service
        self.start: Final = Start(f"{service}:", _BEHIND_COLON)
        self.patterns: Final = tuple(patterns)
        self.points: Final = tuple(Point(found.witness, found.signature) for found in classes)
        self.full: Final = (1 << len(self.points)) - 1
        self.around: Final = {
            pattern: mask_of(number for number, point in enumerate(self.points) if point.signature >> bit & 1)
            for bit, pattern in enumerate(self.patterns)
        }

    @cached_property
    def known(self) -> list[int]:
        """
        For each class, the known actions in it.
        """
        all_of_service = catalog().services.get(self._service, 0)
        whole = [_after_service(self._service, pattern) for pattern in self.patterns]
        return [_known_of(whole, point.signature, all_of_service) for point in self.points]


def _known_of(patterns: Sequence[frozenset[Glob]], signature: int, actions: int) -> int:
    """
    Return those of the known *actions* that just the patterns of a signature match.
    """
    for bit, pattern in enumerate(patterns):
        matching = catalog().matching(pattern)
        actions &= matching if signature >> bit & 1 else ~matching
    return actions


def _after_service(service: str, rest: frozenset[Glob]) -> frozenset[Glob]:
    prefix = next(iter(glob_atom([Piece(f"{service}:")], service).globs))
    return frozenset((*prefix, *glob) for glob in rest)


def forget_classes() -> None:
    """
    Drop what is known of the classes of services.
    """
    _cut_service.cache_clear()
    _classes_of_service.cache_clear()
    _other_services.cache_clear()


def action_dimension(atoms: Iterable[Atom], *, within: Collection[str] | None = None) -> ActionDimension:
    """
    Return the dimension of actions, cut by patterns that are folded to lower case.

    With *within*, only the actions of these services are looked at; all others are one point.

    Raises:
        TooComplexError: If the patterns are too tangled.
    """
    named: dict[str, list[Term]] = {service: [] for service in within or ()}
    wild: list[Term] = []
    elsewhere: list[Atom] = []
    for atom in atoms:
        service = _service_of(atom)
        if service == EVERY_SERVICE:
            wild.append(atom)
        elif service is not None and (within is None or service in within):
            named.setdefault(service, []).append(atom)
        else:
            elsewhere.append(atom)
    return _Assembly(named, wild, elsewhere, narrow=within is not None).dimension()


class _Assembly:
    """
    Puts the classes of services one after the other.
    """

    def __init__(
        self, named: Mapping[str, Sequence[Term]], wild: Sequence[Term], elsewhere: Iterable[Atom], *, narrow: bool
    ) -> None:
        self._points: list[Point] = []
        self._wild = _atoms(wild)
        # patterns that match no action that is looked at are known all the same
        self._around: dict[Term, int] = dict.fromkeys(elsewhere, 0)
        self._services = {service: (len(self._points), self._add(service, named[service])) for service in sorted(named)}
        first = len(self._points)
        names = frozenset(named)
        self._others = (first, _nothing_else(names) if narrow else _other_services(tuple(self._wild), names))
        self._points += self._others[1].points
        for atom in self._wild:
            # beyond what is looked at, a pattern that might match is taken to
            inside = self._others[1].full if narrow else self._others[1].around[atom.globs]
            self._around[atom] = self._around.get(atom, 0) | inside << first
        self._beyond = self._others[1].full << first if narrow else 0
        self._around[ANY_STRING] = (1 << len(self._points)) - 1

    def dimension(self) -> ActionDimension:
        made = Dimension(
            Kind.ACTION,
            "",
            "string",
            tuple(self._points),
            tuple(self._around),
            beyond=self._beyond,
            arounds=self._around,
        )
        return ActionDimension(made, self._services, self._others)

    def _add(self, service: str, atoms: Sequence[Term]) -> ServiceClasses:
        found, inside = _cut_service(service, (*_atoms(atoms), *self._wild))
        first = len(self._points)
        for atom, points in inside:
            self._around[atom] = self._around.get(atom, 0) | points << first
        self._points += found.points
        return found


def _atoms(terms: Sequence[Term]) -> list[Atom]:
    return [term for term in ordered(terms) if isinstance(term, Atom) and term != ANY_STRING]


_EVERYTHING: Final = next(iter(ANY_STRING.globs))
_NAME_LETTERS: Final = ACTIONS.letters


def _is_everything(rest: frozenset[Glob]) -> bool:
    return _EVERYTHING in rest


@lru_cache(maxsize=65536)
def _service_of(atom: Atom) -> str | None:
    """
    Return the service that a pattern names, `EVERY_SERVICE` if it leaves that open; ``None`` if it matches nothing.
    """
    (glob,) = atom.globs
    prefix = ""
    for token in glob:
        if not isinstance(token.chars, str):
            return EVERY_SERVICE
        if token.chars == ":":
            return prefix if prefix and all(char in _NAME_LETTERS for char in prefix) else None
        prefix += token.chars
    return None


@lru_cache(maxsize=16384)
def _cut_service(service: str, atoms: tuple[Atom, ...]) -> tuple[ServiceClasses, list[tuple[Atom, int]]]:
    """
    Return the classes into which patterns cut the actions of a service, and the points in each pattern.
    """
    rests = {atom: rest_after(atom.globs, f"{service}:") for atom in atoms}
    cutting = frozenset(rest for rest in rests.values() if rest and not _is_everything(rest))
    found = _classes_of_service(service, cutting)
    return found, [
        (atom, found.full if _is_everything(rest) else found.around[rest] if rest else 0)
        for atom, rest in rests.items()
    ]


@lru_cache(maxsize=16384)
def _classes_of_service(service: str, rests: frozenset[frozenset[Glob]]) -> ServiceClasses:
    patterns = sorted(rests, key=spelled)
    nested = _nested_classes(f"{service}:", patterns)
    walked = partition(ACTIONS, (Start(f"{service}:", _BEHIND_COLON),), (tuple(patterns),)) if nested is None else ()
    return ServiceClasses(service, patterns, nested or walked)


def _nested_classes(prefix: str, patterns: Sequence[frozenset[Glob]]) -> list[StringClass] | None:
    """
    Return the classes that names and beginnings of names cut; ``None`` where patterns are not all of this form.

    Of two such patterns one lies in the other or they do not meet, so each gives one class: what lies in it and in
    none that is narrower.
    """
    read = [_plain(pattern) for pattern in patterns]
    if None in read:
        return None
    plain = [entry for entry in read if entry is not None]
    classes: list[StringClass] = []
    outermost = _spare_name("", plain)
    if outermost is None:
        return None
    classes.append(StringClass(0, prefix + outermost))
    for text, is_beginning in plain:
        if not all(char in _NAME_LETTERS for char in text):
            continue
        name = _spare_name(text, plain) if is_beginning else text
        if name is None:
            return None
        if name:
            signature = mask_of(
                bit for bit, (other, open_) in enumerate(plain) if (name.startswith(other) if open_ else name == other)
            )
            classes.append(StringClass(signature, prefix + name))
    return sorted(classes, key=lambda found: found.signature)


def _plain(pattern: frozenset[Glob]) -> tuple[str, bool] | None:
    """
    Return the text of a pattern that is a name, or the beginning of names, and whether it is a beginning.
    """
    if len(pattern) != 1:
        return None
    (glob,) = pattern
    text = "".join(token.chars for token in glob if isinstance(token.chars, str))
    beginning = bool(glob) and glob[-1].star and glob[-1].chars is CharSet.ANY
    return (text, beginning) if len(text) + beginning == len(glob) else None


def _spare_name(beginning: str, plain: Sequence[tuple[str, bool]]) -> str | None:
    """
    Return a name with this beginning that no narrower pattern matches; ``None`` if none is found at once.
    """
    longer = {text[len(beginning) :] for text, _open in plain if text.startswith(beginning) and text != beginning}
    is_name = any(text == beginning and not open_ for text, open_ in plain)
    if beginning and not is_name:
        return beginning
    taken = {text[0] for text in longer}
    letter = next((char for char in _NAME_LETTERS if char not in taken), None)
    return None if letter is None else beginning + letter


@lru_cache(maxsize=1024)
def _other_services(wild: tuple[Atom, ...], named: frozenset[str]) -> ServiceClasses:
    """
    Return the classes of the actions of all services but those *named*.
    """
    if not wild:
        return _nothing_else(named)
    guards = [glob_atom([Piece(f"{service}:*")], service) for service in sorted(named)]
    found = classes_of(ACTIONS, ACTION_STARTS, [*wild, *guards])
    outside = [one for one in found if not one.signature >> len(wild)]
    return ServiceClasses(EVERY_SERVICE, [atom.globs for atom in wild], outside)


def _nothing_else(named: frozenset[str]) -> ServiceClasses:
    return ServiceClasses(EVERY_SERVICE, (), [StringClass(0, _foreign(named))])


def _foreign(named: Collection[str]) -> str:
    """
    Return an action of no service that is named.
    """
    service = next(name for length in range(1, len(named) + 2) if (name := "x" * length) not in named)
    return f"{service}:x"
