"""
Coverage-guided fuzzing of one target: ``python -m tests.fuzz TARGET CORPUS [OPTION…]``, options as those of libFuzzer.

What it finds is written to a file named in its last lines. Add the file to ``tests/cases/fuzz/TARGET`` once the fault
is mended; the ordinary tests run every case there.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["rooftree"]):
    from tests.fuzz.mutation import mutate
    from tests.fuzz.seeds import SEEDS
    from tests.fuzz.targets import TARGETS


def _mutator(data: bytes, size: int, seed: int) -> bytes:
    random = Random(seed)
    if random.random() < 0.3:
        return bytes(atheris.Mutate(data, size))
    return mutate(random, data, size=size)


def main() -> None:
    """
    Fuzz until a fault is found or the options say to stop.
    """
    name, corpus, *options = sys.argv[1:]
    folder = Path(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    for seed in SEEDS[name]:
        (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    atheris.Setup([sys.argv[0], corpus, *options], TARGETS[name], custom_mutator=_mutator)
    atheris.Fuzz()


main()
