"""Images and labels kept as numpy files: one ``.npz``, or a folder with ``images.npy`` and ``labels.npy``.

Images are uint8 [N, C, H, W] with C 1 or 3; labels are integers [N]. Without names for the classes there are as many as
the highest label asks for, at least two; an ``.npz`` may name them in ``classes``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fat_fpga.datasets.dataset import Dataset, as_labels
from fat_fpga.errors import DataError


def load_npz(path: Path) -> Dataset:
    """Load the arrays ``images``, ``labels`` and, if there, ``classes`` of an ``.npz`` file.

    Raises:
        DataError: the file or an array is missing, damaged, or not of its shape and type.
    """
    content = _load(path)
    if isinstance(content, np.ndarray):
        raise DataError(f"{path}: expected an .npz file, got a single array (.npy)")
    with content:
        missing = {"images", "labels"} - set(content.files)
        if missing:
            raise DataError(f"{path}: expected the arrays 'images' and 'labels', found {sorted(content.files)}")
        arrays = {
            name: _member(content, name, path) for name in ("images", "labels", "classes") if name in content.files
        }
    classes = arrays.get("classes")
    if classes is not None and (classes.ndim != 1 or classes.dtype.kind != "U"):
        raise DataError(f"{path}: 'classes' must be a list of text, got {classes.dtype} {list(classes.shape)}")
    names = None if classes is None else tuple(str(name) for name in classes)
    return _dataset(f"npz:{path.name}", arrays["images"], arrays["labels"], names)


def load_npy(folder: Path) -> Dataset:
    """Load ``images.npy`` and ``labels.npy`` from ``folder``.

    Raises:
        DataError: a file is missing, damaged, or not of its shape and type.
    """
    images, labels = _load(folder / "images.npy"), _load(folder / "labels.npy")
    if not isinstance(images, np.ndarray) or not isinstance(labels, np.ndarray):
        raise DataError(f"{folder}: images.npy and labels.npy must each hold one array")
    return _dataset(f"npy:{folder.name}", images, labels, None)


def _dataset(name: str, images: NDArray[Any], labels: NDArray[Any], names: tuple[str, ...] | None) -> Dataset:
    labels = as_labels(labels, name)
    if names is None:
        names = tuple(str(index) for index in range(max(2, int(labels.max(initial=0)) + 1)))
    return Dataset(name, images, labels, names)


def _load(path: Path) -> Any:
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        return np.load(path, allow_pickle=False)
    except Exception as error:  # a damaged file can raise nearly anything
        raise DataError(f"{path}: not a readable numpy file ({error}); write it with numpy.save or savez") from error


def _member(content: Any, name: str, path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = content[name]
    except Exception as error:  # as above
        raise DataError(f"{path}: its array {name!r} cannot be read ({error}); write the file again") from error
    return array
