"""SVHN, cropped digits, in its official MATLAB files ``train_32x32.mat`` and ``test_32x32.mat``.

Each holds ``X``, uint8 [32, 32, 3, N] (row, column, channel, image), and ``y``, [N, 1] with labels 1 to 10, where
10 stands for the digit 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fat_fpga.datasets.dataset import Dataset, as_labels
from fat_fpga.datasets.extra import extra
from fat_fpga.datasets.files import Official, find_folder
from fat_fpga.errors import DataError

OFFICIAL = Official("SVHN", "http://ufldl.stanford.edu/housenumbers/")
CLASSES = tuple(str(digit) for digit in range(10))
SIZE = (32, 32, 3)


def load_svhn(folder: Path, split: Literal["train", "test"]) -> Dataset:
    """Load SVHN from ``folder``, which holds the ``.mat`` files, or holds ``SVHN`` or ``svhn`` that does.

    Raises:
        DataError: scipy is missing, or the file is missing, damaged, or not what it should be.
    """
    reader = extra("scipy.io", "scipy", "reading SVHN's .mat files")
    file = f"{split}_32x32.mat"
    path = find_folder(folder, ("SVHN", "svhn"), (file,), OFFICIAL) / file
    content = _load(path, reader)
    missing = {"X", "y"} - set(content)
    if missing:
        found = sorted(name for name in content if not name.startswith("__"))
        raise DataError(f"{path}: expected the arrays X and y of SVHN's cropped digits, found {found}")
    images, labels = content["X"], as_labels(content["y"], str(path)).ravel()
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


def _load(path: Path, reader: Any) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file:
            content: dict[str, NDArray[Any]] = reader.loadmat(file, variable_names=("X", "y"))
    except Exception as error:  # a damaged file can raise nearly anything
        why = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: not a readable MATLAB v5 file ({why}); copy or download it again") from error
    return content
