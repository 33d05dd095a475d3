"""The real images that come with the package, for the demo: ``demo:cifar10``; ``demo:mnist``, for boards."""

from __future__ import annotations

from pathlib import Path

from fat_fpga.datasets.arrays import load_npz
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.errors import DataError

FOLDER = Path(__file__).parent / "data"
IMAGES = {"cifar10": "cifar10_test_1000.npz", "mnist": "mnist_test_200.npz"}
"""By name: 1,000 images of the CIFAR-10 test set and the first 200 of MNIST's, in their order; ``index`` in the file
tells which."""


def load_demo(name: str) -> Dataset:
    """Load the bundled images called ``name``.

    Raises:
        DataError: none are bundled under that name.
    """
    if name not in IMAGES:
        raise DataError(f"no bundled images {name!r}; there are: {', '.join(IMAGES)}")
    found = load_npz(FOLDER / IMAGES[name])
    return Dataset(f"demo:{name}", found.images, found.labels, found.classes)
