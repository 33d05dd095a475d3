"""CIFAR-10 in its two official forms: the Python pickles and the binary version.

Pickles: ``data_batch_1`` .. ``data_batch_5`` and ``test_batch``, each a dictionary with ``data``, uint8 [10000, 3072]
(1,024 red, then green, then blue values, rows first), and ``labels``. Binary: ``data_batch_1.bin`` .. and
``test_batch.bin``, each image one label byte and the same 3,072 bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fat_fpga.datasets.dataset import Dataset
from fat_fpga.datasets.files import Official, find_folder, read_bytes
from fat_fpga.datasets.safe_pickle import load_plain_pickle
from fat_fpga.errors import DataError

OFFICIAL = Official("CIFAR-10", "https://www.cs.toronto.edu/~kriz/cifar.html", "demo:cifar10")
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PIXELS = 3 * 32 * 32
BATCHES = {"train": tuple(f"data_batch_{index}" for index in range(1, 6)), "test": ("test_batch",)}


def load_cifar10(folder: Path, split: Literal["train", "test"]) -> Dataset:
    """Load CIFAR-10 from ``folder``, which holds the files of either form, or holds the folder that does.

    Raises:
        DataError: a file is missing, truncated, or not what it should be.
    """
    batches = BATCHES[split]
    sub_folders = ("cifar-10-batches-py", "cifar-10-batches-bin")
    found = find_folder(folder, sub_folders, (batches[0], f"{batches[0]}.bin"), OFFICIAL)
    read = _read_pickle if (found / batches[0]).exists() else _read_binary
    parts = [read(found / batch) for batch in batches]
    images = np.concatenate([images for images, _ in parts]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([labels for _, labels in parts])
    return Dataset(f"cifar10:{split}", images, labels, CLASSES)


def _read_pickle(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    batch = load_plain_pickle(path)
    for key in ("data", "labels"):
        if key not in batch:
            raise DataError(f"{path}: expected the keys 'data' and 'labels', found {sorted(batch)}")
    data, labels = batch["data"], batch["labels"]
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != PIXELS:
        raise DataError(f"{path}: 'data' must be uint8 [N, {PIXELS}], got {_describe(data)}")
    if not isinstance(labels, list) or not all(isinstance(label, int) for label in labels):
        raise DataError(f"{path}: 'labels' must be a list of integers, got {_describe(labels)}")
    if len(labels) != len(data):
        raise DataError(f"{path}: {len(data)} images but {len(labels)} labels")
    return data, np.array(labels, np.int64)


def _read_binary(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    path = path.with_name(f"{path.name}.bin")
    content = read_bytes(path)
    if len(content) % (1 + PIXELS) or not content:
        raise DataError(
            f"{path}: {len(content)} bytes is not a whole number of {1 + PIXELS}-byte images; "
            "the file is truncated, copy or download it again"
        )
    rows = np.frombuffer(content, np.uint8).reshape(-1, 1 + PIXELS)
    return rows[:, 1:], rows[:, 0].astype(np.int64)


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    return type(value).__name__
