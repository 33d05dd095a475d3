"""Images, or other data, and labels kept as numpy files: an ``.npz``, or ``images.npy`` and ``labels.npy`` in a folder.

Images are uint8 [N, C, H, W], or numbers of another type and shape [N, ...] that a network takes. Labels are integers
[N]; they may be missing. Without names for the classes there are as many as
the highest label asks for, at least two; an ``.npz`` may name them in ``classes``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fat_fpga.datasets.dataset import NO_LABEL, Dataset, as_labels
from fat_fpga.errors import DataError
from fat_fpga.npz_file import UnreadableError, read_npy, read_npz
from fat_fpga.one_line import one_line

MOST_CLASSES = 100_000
"""Without names there are as many classes as the highest label asks for, but no more than these."""
Found = TypeVar("Found")


def load_npz(path: Path) -> Dataset:
    """Load the array ``images`` and, if there, ``labels`` and ``classes`` of an ``.npz`` file.

    Raises:
        DataError: the file or an array is missing, damaged, or not of its shape and type.
    """
    arrays = _load(path, partial(read_npz, only=("images", "labels", "classes")))
    if "images" not in arrays:
        raise DataError(f"{path}: expected the arrays 'images' and 'labels', found {sorted(arrays)}")
    classes = arrays.get("classes")
    if classes is not None and (classes.ndim != 1 or classes.dtype.kind != "U"):
        raise DataError(f"{path}: 'classes' must be a list of text, got {classes.dtype} {list(classes.shape)}")
    try:
        names = None if classes is None else tuple(one_line(str(name), 200) for name in classes)
    except ValueError as error:  # numbers that are no characters
        raise DataError(f"{path}: 'classes' holds what is no text ({error})") from error
    return of_arrays(f"npz:{path.name}", arrays["images"], arrays.get("labels"), names)


def load_npy(folder: Path) -> Dataset:
    """Load ``images.npy`` and, if there, ``labels.npy`` from ``folder``.

    Raises:
        DataError: a file is missing, damaged, or not of its shape and type.
    """
    images = _load(folder / "images.npy", read_npy)
    labels = _load(folder / "labels.npy", read_npy) if (folder / "labels.npy").exists() else None
    return of_arrays(f"npy:{folder.name}", images, labels)


def of_arrays(
    name: str, images: NDArray[Any], labels: NDArray[Any] | None, names: tuple[str, ...] | None = None
) -> Dataset:
    """Images uint8 [N, C, H, W], or other data [N, ...], and integer labels [N] or none, under a name.

    Raises:
        DataError: an array is not of its shape or type.
    """
    if labels is None:
        return Dataset(name, images, np.full(len(images) if images.ndim else 0, NO_LABEL, np.int64), ())
    labels = as_labels(labels, name)
    if names is None:
        if len(labels) and labels.max() >= MOST_CLASSES:
            index = int(labels.argmax())
            raise DataError(f"{name}: label {labels.max()} of image {index} is beyond {MOST_CLASSES:,} classes")
        names = tuple(str(index) for index in range(max(2, int(labels.max(initial=0)) + 1)))
    return Dataset(name, images, labels, names)


def _load(path: Path, read: Callable[[Path], Found]) -> Found:
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        return read(path)
    except (OSError, UnreadableError) as error:
        raise DataError(f"{path}: not a readable numpy file ({error}); write it with numpy.save or savez") from error
