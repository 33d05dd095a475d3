"""One grammar for every source of images: ``KIND:PATH``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from fat_fpga.datasets.arrays import load_npy, load_npz
from fat_fpga.datasets.cifar10 import load_cifar10
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.datasets.demo import load_demo
from fat_fpga.datasets.folder import load_folder
from fat_fpga.datasets.mnist import load_mnist
from fat_fpga.errors import DataError

Split = Literal["train", "test"]

KINDS: dict[str, tuple[str, Callable[[Path, Split], Dataset]]] = {
    "cifar10": ("cifar10:DIR", load_cifar10),
    "mnist": ("mnist:DIR", load_mnist),
    "npz": ("npz:FILE", lambda path, split: load_npz(path)),
    "npy": ("npy:DIR", lambda path, split: load_npy(path)),
    "demo": ("demo:cifar10", lambda path, split: load_demo(str(path))),
    "folder": ("folder:DIR", lambda path, split: load_folder(path)),
}


def load(spec: str, split: Split = "test", limit: int | None = None) -> Dataset:
    """Load the data that ``spec`` names.

    >>> load("cifar10:data", "test", limit=1000)  # doctest: +SKIP

    Args:
        spec: ``cifar10:DIR``, ``mnist:DIR`` (the folder of the official files or the one above it), ``npz:FILE``
            (arrays images, labels), ``npy:DIR`` (images.npy, labels.npy), ``folder:DIR`` (a sub-folder per class), or
            ``demo:cifar10`` (1,000 test images that come with the package).
        split: which part of CIFAR-10 or MNIST; the other kinds have one part only.
        limit: the first so many images; all by default.

    Raises:
        DataError: an unknown kind, or data that is missing, damaged or unfit; one line that says which and where.
    """
    kind, separator, path = spec.partition(":")
    if not separator or not path or kind not in KINDS:
        forms = ", ".join(form for form, _ in KINDS.values())
        raise DataError(f"data {spec!r} is not understood; expected one of {forms}")
    if split not in ("train", "test"):
        raise DataError(f"split {split!r} is unknown; expected 'train' or 'test'")
    return KINDS[kind][1](Path(path).expanduser(), split).first(limit)
