"""One grammar for every source of images: ``KIND:PATH``, and ``@PART`` where not all of the test part is meant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from fat_fpga.arguments import checked
from fat_fpga.datasets.arrays import load_npy, load_npz
from fat_fpga.datasets.cifar10 import load_cifar10
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.datasets.demo import load_demo
from fat_fpga.datasets.folder import load_folder
from fat_fpga.datasets.fsdd import load_fsdd
from fat_fpga.datasets.gtsrb import load_gtsrb
from fat_fpga.datasets.mnist import load_mnist
from fat_fpga.datasets.part import SPLITS, Part, Split, check_one_part, split_spec
from fat_fpga.datasets.svhn import load_svhn
from fat_fpga.datasets.tidigits import load_tidigits
from fat_fpga.errors import DataError

Shape = tuple[int, int, int]
Loader = Callable[[Path, Part, Shape | None], Dataset]
ROI = "gtsrb"
"""The kind that has regions of interest."""


def _chosen(read: Callable[[Path, Literal["train", "test"]], Dataset]) -> Loader:
    """A loader of a format with a training and a test part, each read as a whole."""

    def load(path: Path, part: Part, shape: Shape | None) -> Dataset:
        data = read(path, part.file)
        name = f"{data.name.removesuffix(part.file)}{part.split or part.file}{part.text}"
        return data.take(name, part.of(range(len(data))))

    return load


def _single(read: Callable[[Path], Dataset]) -> Loader:
    """A loader of a format with one part."""

    def load(path: Path, part: Part, shape: Shape | None) -> Dataset:
        data = read(path)
        check_one_part(data.name, part)
        return data.take(f"{data.name}{part.text}", part.of(range(len(data)), held_out=False))

    return load


KINDS: dict[str, tuple[str, Loader]] = {
    "cifar10": ("cifar10:DIR", _chosen(load_cifar10)),
    "svhn": ("svhn:DIR", _chosen(load_svhn)),
    "gtsrb": ("gtsrb:DIR", lambda path, part, shape: load_gtsrb(path, part)),
    "mnist": ("mnist:DIR", _chosen(load_mnist)),
    "fsdd": ("fsdd:DIR", lambda path, part, shape: load_fsdd(path, part)),
    "tidigits": ("tidigits:DIR", lambda path, part, shape: load_tidigits(path, part)),
    "folder": ("folder:DIR", load_folder),
    "npz": ("npz:FILE", _single(load_npz)),
    "npy": ("npy:DIR", _single(load_npy)),
    "demo": ("demo:cifar10, demo:mnist", _single(lambda path: load_demo(str(path)))),
}
"""By kind: how it is written, and what loads it."""


@checked
def load(
    spec: str,
    split: Split | None = None,
    limit: int | None = None,
    shape: Shape | None = None,
    *,
    spread: int | None = None,
    roi: bool = False,
) -> Dataset:
    """Load the data that ``spec`` names.

    >>> load("cifar10:data", "test", limit=1000)  # doctest: +SKIP
    >>> load("cifar10:data@val[::2]")             # doctest: +SKIP

    Args:
        spec: ``cifar10:DIR``, ``svhn:DIR``, ``gtsrb:DIR``, ``mnist:DIR`` (the folder of the official files or the one
            above it), ``fsdd:DIR`` and ``tidigits:DIR`` (spoken digits as features [39, 254]), ``folder:DIR`` (a
            sub-folder per class), ``npz:FILE`` (arrays images, of any shape, and labels), ``npy:DIR``
            (images.npy, labels.npy), ``demo:cifar10`` (1,000 test images that come with the package) or ``demo:mnist``
            (200); then, if not all of the test part is meant, ``@PART[START:STOP:STEP]``: see `fat_fpga.datasets.part`.
        split: which part, where ``spec`` does not say; ``test`` by default. Formats with one part take ``train`` and
            ``test`` for that.
        limit: the first so many images; all by default.
        shape: channels, height, width that the network takes; ``folder:`` brings its images to it, see there. All other
            kinds have a shape of their own and disregard it.
        spread: at most so many images, spread evenly over the part, so that data in order of class show every class.
        roi: cut the images of ``gtsrb:`` to their regions of interest, before they are resized.

    Raises:
        DataError: an unknown kind or part, or data that is missing, damaged or unfit; one line that says which and
            where.
    """
    source, part = split_spec(spec)
    kind, separator, path = source.partition(":")
    if not separator or not path or kind not in KINDS:
        forms = ", ".join(form for form, _ in KINDS.values())
        raise DataError(f"data {spec!r} is not understood; expected one of {forms}")
    if split is not None and split not in SPLITS:
        raise DataError(f"split {split!r} is unknown; expected one of {', '.join(map(repr, SPLITS))}")
    for number in (limit, spread):
        if number is not None and number < 1:
            raise DataError(f"{spec}: asked for {number} images; at least 1 is needed")
    if part.split is not None and split not in (None, part.split):
        raise DataError(f"{spec}: this is the {part.split} part, and the {split} part is needed: leave @ out")
    part = replace(part, split=part.split or split, limit=limit, spread=spread)
    if roi:
        if kind != ROI:
            raise DataError(f"{spec}: only {ROI}: has regions of interest: leave --roi out")
        return load_gtsrb(Path(path).expanduser(), part, roi=True).first(limit)
    return KINDS[kind][1](Path(path).expanduser(), part, shape).first(limit)
