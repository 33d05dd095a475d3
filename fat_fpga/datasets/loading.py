"""One grammar for every source of images: ``KIND:PATH``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from fat_fpga.datasets.arrays import load_npy, load_npz
from fat_fpga.datasets.cifar10 import load_cifar10
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.datasets.demo import load_demo
from fat_fpga.datasets.folder import load_folder
from fat_fpga.datasets.gtsrb import load_gtsrb
from fat_fpga.datasets.mnist import load_mnist
from fat_fpga.datasets.svhn import load_svhn
from fat_fpga.errors import DataError

Split = Literal["train", "test"]


class Wanted(NamedTuple):
    """What a loader is asked for beside the path; each takes of it what its format has.

    Attributes:
        split: which part.
        limit: no more than the first so many images need to be read.
        spread: no more than so many images need to be read, spread evenly over all.
        shape: channels, height, width that the network takes.
    """

    split: Split
    limit: int | None
    shape: tuple[int, int, int] | None
    spread: int | None = None


KINDS: dict[str, tuple[str, Callable[[Path, Wanted], Dataset]]] = {
    "cifar10": ("cifar10:DIR", lambda path, wanted: load_cifar10(path, wanted.split)),
    "svhn": ("svhn:DIR", lambda path, wanted: load_svhn(path, wanted.split)),
    "gtsrb": ("gtsrb:DIR", lambda path, wanted: load_gtsrb(path, wanted.split, wanted.limit, wanted.spread)),
    "mnist": ("mnist:DIR", lambda path, wanted: load_mnist(path, wanted.split)),
    "folder": ("folder:DIR", lambda path, wanted: load_folder(path, *wanted)),
    "npz": ("npz:FILE", lambda path, wanted: load_npz(path)),
    "npy": ("npy:DIR", lambda path, wanted: load_npy(path)),
    "demo": ("demo:cifar10", lambda path, wanted: load_demo(str(path))),
}
"""By kind: how it is written, and what loads it."""


def load(
    spec: str,
    split: Split = "test",
    limit: int | None = None,
    shape: tuple[int, int, int] | None = None,
    *,
    spread: int | None = None,
) -> Dataset:
    """Load the data that ``spec`` names.

    >>> load("cifar10:data", "test", limit=1000)  # doctest: +SKIP

    Args:
        spec: ``cifar10:DIR``, ``svhn:DIR``, ``gtsrb:DIR``, ``mnist:DIR`` (the folder of the official files or the one
            above it), ``folder:DIR`` (a sub-folder per class), ``npz:FILE`` (arrays images, labels), ``npy:DIR``
            (images.npy, labels.npy), or ``demo:cifar10`` (1,000 test images that come with the package).
        split: which part; npz, npy, demo and a folder without parts have one only.
        limit: the first so many images; all by default.
        shape: channels, height, width that the network takes; ``folder:`` brings its images to it, see there. All other
            kinds have a shape of their own and disregard it.
        spread: at most so many images, spread evenly over the whole, so that data in order of class show every class.

    Raises:
        DataError: an unknown kind, or data that is missing, damaged or unfit; one line that says which and where.
    """
    kind, separator, path = spec.partition(":")
    if not separator or not path or kind not in KINDS:
        forms = ", ".join(form for form, _ in KINDS.values())
        raise DataError(f"data {spec!r} is not understood; expected one of {forms}")
    if split not in ("train", "test"):
        raise DataError(f"split {split!r} is unknown; expected 'train' or 'test'")
    for number in (limit, spread):
        if number is not None and number < 1:
            raise DataError(f"{spec}: asked for {number} images; at least 1 is needed")
    wanted = Wanted(split, limit, shape, spread)
    return KINDS[kind][1](Path(path).expanduser(), wanted).first(limit).spread(spread)
