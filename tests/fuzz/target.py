"""What a target of the fuzz run is: good files to start from, and a way to spoil one of them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

T = TypeVar("T")
Rng = np.random.Generator


@dataclass(frozen=True)
class Target:
    """A kind of input.

    Attributes:
        name: of the target.
        share: how many of the inputs are of this kind, relative to those of the others.
        prepare: writes good files into a folder, once.
        spoil: makes one bad input from them. It is given the folder of good files and an empty folder, in which the
            command is to run, and returns the command's arguments.
    """

    name: str
    share: int
    prepare: Callable[[Path], None]
    spoil: Callable[[Rng, Path, Path], list[str]]

    def generator(self, seed: int, index: int) -> Rng:
        """The random numbers of one input: the same for the same seed and number, whatever else is run."""
        return np.random.default_rng([seed, zlib.crc32(self.name.encode()), index])


def pick(rng: Rng, *choices: T) -> T:
    """One of the choices, as it is (numpy's choice would make an array of them)."""
    return choices[int(rng.integers(len(choices)))]
