"""
The classes of resources, service by service.

Nearly every pattern of resources names its partition and its service, and patterns of two services do not meet. So the
classes of one service depend on few patterns; they are remembered by these.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from rooftree.permissions.glob import ANY_STRING, Atom, Glob, glob_atom, rest_after, spelled
from rooftree.permissions.language import RESOURCE_STARTS, RESOURCES, Start, StringClass, classes_of, partition
from rooftree.policy.variables import Piece

__all__ = ["resource_classes"]

_BEHIND_SERVICE: Final = 3
"""The mode of the universe of resources behind the third colon."""

_EVERYTHING: Final = next(iter(ANY_STRING.globs))


def resource_classes(atoms: Sequence[Atom]) -> list[StringClass]:
    """
    Return the classes into which *atoms* cut the resources; see `classes_of`.

    Raises:
        TooComplexError: If the patterns are too tangled.
    """
    prefixes = sorted({prefix for atom in atoms for glob in atom.globs if (prefix := _prefix(glob))})
    wild = tuple((bit, frozenset(glob for glob in atom.globs if not _prefix(glob))) for bit, atom in enumerate(atoms))
    open_ = tuple((bit, globs) for bit, globs in wild if globs)
    found: dict[int, str] = {}
    for one in _elsewhere(open_, tuple(prefixes)):
        found.setdefault(one.signature, one.witness)
    for prefix in prefixes:
        for one in _of_service(prefix, atoms):
            found.setdefault(one.signature, one.witness)
    return [StringClass(signature, found[signature]) for signature in sorted(found)]


@lru_cache(maxsize=65536)
def _prefix(glob: Glob) -> str:
    """
    Return what a glob names up to its service and the colon behind that; empty if it leaves some of it open.
    """
    text = ""
    for token in glob:
        if not isinstance(token.chars, str) or token.star or len(token.chars) > 1:
            return ""
        text += token.chars
        if text.count(":") == _BEHIND_SERVICE:
            return text if text.startswith("arn:") else ""
    return ""


def _of_service(prefix: str, atoms: Sequence[Atom]) -> Iterable[StringClass]:
    """
    Yield the classes of the resources of a service.
    """
    rests = [rest_after(atom.globs, prefix) for atom in atoms]
    always = sum(1 << bit for bit, rest in enumerate(rests) if _EVERYTHING in rest)
    cutting = sorted({rest for rest in rests if rest and _EVERYTHING not in rest}, key=spelled)
    around = [sum(1 << bit for bit, rest in enumerate(rests) if rest == cut) for cut in cutting]
    for one in partition(RESOURCES, (Start(prefix, _BEHIND_SERVICE),), (tuple(cutting),)):
        signature = always
        for bit, mask in enumerate(around):
            if one.signature >> bit & 1:
                signature |= mask
        yield StringClass(signature, one.witness)


@lru_cache(maxsize=1024)
def _elsewhere(wild: tuple[tuple[int, frozenset[Glob]], ...], prefixes: tuple[str, ...]) -> tuple[StringClass, ...]:
    """
    Return the classes of all resources that do not begin with one of some prefixes; *wild* holds what may match them.
    """
    always = sum(1 << bit for bit, globs in wild if _EVERYTHING in globs)
    cutting = [(bit, globs) for bit, globs in wild if _EVERYTHING not in globs]
    guards = [glob_atom([Piece(f"{prefix}*")], prefix) for prefix in prefixes] if cutting else []
    if not cutting:
        service = next(name for length in range(1, len(prefixes) + 2) if (name := "x" * length) not in _named(prefixes))
        return (StringClass(always, "*"), StringClass(always, f"arn:aws:{service}:::x"))
    atoms = [Atom(globs, "") for _bit, globs in cutting]
    found = []
    for one in classes_of(RESOURCES, RESOURCE_STARTS, [*atoms, *guards]):
        if not one.signature >> len(atoms):
            signature = sum(1 << bit for place, (bit, _globs) in enumerate(cutting) if one.signature >> place & 1)
            found.append(StringClass(always | signature, one.witness))
    return tuple(found)


def _named(prefixes: Iterable[str]) -> set[str]:
    return {prefix.split(":")[2] for prefix in prefixes}
