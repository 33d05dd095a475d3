"""SVHN, cropped digits, in its official MATLAB files ``train_32x32.mat`` and ``test_32x32.mat``.

Each holds ``X``, uint8 [32, 32, 3, N] (row, column, channel, image), and ``y``, [N, 1] with labels 1 to 10, where
10 stands for the digit 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from fat_fpga.datasets.dataset import Dataset, as_labels
from fat_fpga.datasets.files import Official, find_folder
from fat_fpga.datasets.matlab import read_x_and_y
from fat_fpga.errors import DataError

OFFICIAL = Official("SVHN", "http://ufldl.stanford.edu/housenumbers/")
CLASSES = tuple(str(digit) for digit in range(10))
SIZE = (32, 32, 3)


def load_svhn(folder: Path, split: Literal["train", "test"]) -> Dataset:
    """Load SVHN from ``folder``, which holds the ``.mat`` files, or holds ``SVHN`` or ``svhn`` that does.

    Raises:
        DataError: the file is missing, damaged, or not what it should be.
    """
    file = f"{split}_32x32.mat"
    path = find_folder(folder, ("SVHN", "svhn"), (file,), OFFICIAL) / file
    images, found = read_x_and_y(path)
    labels = as_labels(found, str(path)).ravel()
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[:3] != SIZE:
        raise DataError(f"{path}: X must be uint8 [32, 32, 3, N], got {images.dtype} {list(images.shape)}")
    if len(labels) != images.shape[3]:
        raise DataError(f"{path}: {images.shape[3]} images but {len(labels)} labels")
    wrong = np.flatnonzero((labels < 1) | (labels > 10))
    if len(wrong):
        raise DataError(
            f"{path}: label {labels[wrong[0]]} of image {wrong[0]} is none of SVHN's, which are 1 to 10, 10 for digit 0"
        )
    return Dataset(f"svhn:{split}", np.ascontiguousarray(images.transpose(3, 2, 0, 1)), labels % 10, CLASSES)
