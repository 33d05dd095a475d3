"""Which images of a data set: ``@PART[START:STOP:STEP]`` at the end of a specification.

cifar10:data@val           a tenth of the training part, held out by a fixed seed
cifar10:data@fit           the rest of the training part
cifar10:data@test[::2]     every second image of the test part
npz:digits.npz@[0:500]     the first 500 images of a format without parts
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fat_fpga.errors import DataError

Split = Literal["train", "test", "val", "fit"]
SPLITS: tuple[Split, ...] = get_args(Split)
HELD_OUT = 10
"""One of so many images of the training part is in ``val``."""
SEED = 0
FORM = "@PART, @PART[START:STOP] or @[START:STOP:STEP], PART one of test, train, val, fit"


@dataclass(frozen=True)
class Part:
    """Some images of a data set.

    Attributes:
        split: ``test``, ``train``, ``val`` (held out of the training part) or ``fit`` (the rest of it); None where
            nothing was said.
        images: of that part: start, stop and step in the manner of Python.
        limit: of those, no more than the first so many.
        spread: of those, no more than so many, spread evenly over all.
        named: whether the specification itself names the split.
    """

    split: Split | None = None
    images: tuple[int | None, int | None, int | None] = (None, None, None)
    limit: int | None = None
    spread: int | None = None
    named: bool = False

    @property
    def file(self) -> Literal["train", "test"]:
        """The part as files have it."""
        return "test" if self.split in (None, "test") else "train"

    @property
    def text(self) -> str:
        """What a name says beyond the split: ``[0:5000]``, or nothing."""
        if self.images == (None, None, None):
            return ""
        start, stop, step = ("" if end is None else str(end) for end in self.images)
        return f"[{start}:{stop}{step and ':'}{step}]"

    def of(self, groups: Sequence[object], held_out: bool = True) -> NDArray[np.int64]:
        """Indices of the part's images, ascending for a step above 0.

        Args:
            groups: for each image of the file's part what it belongs to; images of a group are held out together.
            held_out: whether ``val`` and ``fit`` share the images; else they are the files' own.
        """
        chosen = np.arange(len(groups), dtype=np.int64)
        if held_out and self.split in ("val", "fit"):
            mine = held_out_of(groups)
            chosen = np.flatnonzero(mine if self.split == "val" else ~mine)
        chosen = chosen[slice(*self.images)][: self.limit]
        return chosen if self.spread is None else chosen[spread_over(len(chosen), self.spread)]


def spread_over(count: int, most: int) -> list[int]:
    """At most ``most`` of the positions 0 to ``count`` - 1, ascending, spread evenly."""
    most = min(count, most)
    return [position * count // most for position in range(most)]


def held_out_of(groups: Sequence[object]) -> NDArray[np.bool_]:
    """Which images of a training part are the validation part, [N]: one of ``HELD_OUT`` groups, at least one, the same
    for the same number of groups.

    Drawn by numpy's ``RandomState``, whose numbers never change (NEP 19).
    """
    order = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    shuffled = np.random.RandomState(SEED).permutation(len(order))
    val = shuffled[: max(1, len(order) // HELD_OUT)]
    return np.isin([order[group] for group in groups], val)


def _exists(path: str) -> bool:
    try:
        return Path(path).expanduser().exists()
    except (OSError, RuntimeError):  # a name that is too long, a user that is unknown
        return False


def check_one_part(source: str, part: Part) -> None:
    """DataError for a part of data that have one only, which serves for training and test."""
    if part.split in ("val", "fit") or (part.split == "train" and part.named):
        raise DataError(
            f"{source} has no {part.split} part, it has one part only: choose images of it, as @[0:500] or @[::2]"
        )


def split_spec(spec: str) -> tuple[str, Part]:
    """The specification without its part, and the part.

    What follows the last ``@`` is a part unless it has a ``/``, or the whole is the name of a file or folder.

    Raises:
        DataError: it is no part.
    """
    source, at, text = spec.rpartition("@")
    _, _, path = spec.partition(":")
    if not at or "/" in text or _exists(path):
        return spec, Part()
    found = re.fullmatch(r"(\w*)(?:\[(-?\d+)?:(-?\d+)?(?::(-?\d+))?\])?", text, re.ASCII)
    if not text or found is None or found[1] not in ("", *SPLITS):
        raise DataError(f"data {spec!r}: '@{text}' names no images; expected {FORM}")
    if any(len(number or "") > 18 for number in found.groups()[1:]):
        raise DataError(f"data {spec!r}: '@{text}' has a number that is too large for an image")
    start, stop, step = (None if number is None else int(number) for number in found.groups()[1:])
    if step == 0:
        raise DataError(f"data {spec!r}: the step of '@{text}' must not be 0")
    split = next((known for known in SPLITS if known == found[1]), None)
    return source, Part(split, (start, stop, step), named=split is not None)
