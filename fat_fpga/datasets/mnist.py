"""MNIST in its official idx form, compressed or not.

An idx file starts with two zero bytes, a type byte (8: uint8) and the number of dimensions, then each dimension as a
big-endian uint32, then the values, last dimension fastest.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fat_fpga.datasets.dataset import Dataset
from fat_fpga.datasets.files import Official, find_folder, read_bytes
from fat_fpga.errors import DataError

OFFICIAL = Official("MNIST", "http://yann.lecun.com/exdb/mnist/", "demo:mnist")
CLASSES = tuple(str(digit) for digit in range(10))
PREFIXES = {"train": "train", "test": "t10k"}


def load_mnist(folder: Path, split: Literal["train", "test"]) -> Dataset:
    """Load MNIST from ``folder``, which holds the idx files, or holds ``MNIST/raw`` or ``raw`` that does.

    Raises:
        DataError: a file is missing, truncated, or not what it should be.
    """
    prefix = PREFIXES[split]
    stem = f"{prefix}-images-idx3-ubyte"
    found = find_folder(folder, ("MNIST/raw", "raw"), (stem, f"{stem}.gz"), OFFICIAL)
    images = _read_idx(found / stem, dimensions=3)
    labels = _read_idx(found / f"{prefix}-labels-idx1-ubyte", dimensions=1)
    return Dataset(f"mnist:{split}", images[:, None], labels.astype(np.int64), CLASSES)


def _read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    if not path.exists():
        path = path.with_name(f"{path.name}.gz")
    content = read_bytes(path)
    header = 4 + 4 * dimensions
    if content[:4] != bytes((0, 0, 8, dimensions)):
        raise DataError(
            f"{path}: expected an idx file of uint8 with {dimensions} dimensions, "
            f"but it starts with the bytes {content[:4].hex(' ') or '(none)'}"
        )
    if len(content) < header:
        raise DataError(f"{path}: truncated in its header; copy or download it again")
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    expected = int(np.prod(shape, dtype=object))
    if len(content) - header != expected:
        raise DataError(
            f"{path}: its header promises {expected} bytes of shape {list(shape)}, "
            f"{len(content) - header} follow; copy or download it again"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
