"""The images that a network is trained on, and those that it is tested on."""

from __future__ import annotations

from fat_fpga.datasets import Dataset, load
from fat_fpga.datasets.loading import Shape
from fat_fpga.datasets.part import split_spec


def load_parts(spec: str, limit: int | None = None, shape: Shape | None = None) -> tuple[Dataset, Dataset]:
    """The training and the test part of ``spec``; with ``@fit`` the training part without its validation part.

    Args:
        spec, limit, shape: as of `fat_fpga.datasets.load`; ``limit`` is of each part.

    Raises:
        DataError: as `fat_fpga.datasets.load`.
    """
    source, part = split_spec(spec)
    if part.named and part.split == "fit":
        return load(spec, None, limit, shape), load(source, "test", limit, shape)
    return load(spec, "train", limit, shape), load(spec, "test", limit, shape)
