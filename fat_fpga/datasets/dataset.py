"""Images, or other data, and their labels, in memory, checked once, in one form for every source."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fat_fpga.errors import DataError
from fat_fpga.files import readable

NO_LABEL = -1
"""Stands for the label of a row that has none."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images, or other data, one row each, and their labels.

    Attributes:
        name: where they came from, in the words of the data specification.
        images: uint8 [N, C, H, W], pixel values 0 to 255; or other numbers of any shape [N, ...], as features [N, F]
            and signals [N, C, L]. What a network takes of them it says itself.
        labels: int64 [N], indices into ``classes``; -1 throughout where there are none.
        classes: the name of each class; none where there are no labels.

    Raises:
        DataError: an array has a wrong shape or type, a label is outside the classes, or there is no image.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.images.shape[1:]))
        classes = f"{len(self.classes)} classes" if self.labelled else "no labels"
        return f"<Dataset {self.name}: {len(self):,} {self.rows} {shape}, {classes}>"

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", readable(self.name))
        if self.images.ndim < 2 or self.images.dtype.kind not in "biuf":
            raise DataError(
                f"{self.name}: expected numbers [N, ...], as images [N, C, H, W] or features [N, F], got "
                f"{self.images.dtype} {list(self.images.shape)}"
            )
        if self.labels.dtype != np.int64 or self.labels.shape != (len(self.images),):
            raise DataError(
                f"{self.name}: expected one int64 label per image, {len(self.images)} in all, "
                f"got {self.labels.dtype} {self.labels.shape}"
            )
        if len(self.images) == 0:
            raise DataError(f"{self.name}: the data set holds no images; at least one is needed")
        if not self.labelled and np.all(self.labels == NO_LABEL):
            return
        wrong = np.flatnonzero((self.labels < 0) | (self.labels >= len(self.classes)))
        if len(wrong):
            raise DataError(
                f"{self.name}: label {self.labels[wrong[0]]} of image {wrong[0]} is outside the "
                f"{len(self.classes)} classes (0..{len(self.classes) - 1}); {len(wrong)} such labels"
                f"{_first(self.labels, self.classes)}"
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labelled(self) -> bool:
        """Whether there are labels."""
        return bool(self.classes)

    @property
    def is_images(self) -> bool:
        """Whether they are uint8 images [N, C, H, W] of one or three channels."""
        return self.images.dtype == np.uint8 and self.images.ndim == 4 and self.images.shape[1] in (1, 3)

    @property
    def rows(self) -> str:
        """What to call them: ``images`` or ``rows``."""
        return "images" if self.is_images else "rows"

    def need_labels(self, what: str) -> None:
        """DataError where there are no labels, which ``what`` needs."""
        if not self.labelled:
            raise DataError(f"{self.name} has no labels, and {what} needs them: add an array 'labels', integers [N]")

    def need_images(self, what: str) -> None:
        """DataError where they are no images, which ``what`` needs."""
        if not self.is_images:
            found = f"{self.images.dtype} {list(self.images.shape)}"
            raise DataError(
                f"{self.name}: {what} takes uint8 images [N, C, H, W] with C 1 or 3, got {found}{_order(self.images)}"
            )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, over shapes and bytes of images and labels: equal data, equal fingerprint."""
        digest = hashlib.sha256()
        for array in (self.images, self.labels):
            digest.update(repr((array.dtype.str, array.shape)).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def take(self, name: str, indices: NDArray[np.int64]) -> Dataset:
        """Return the images at these indices, under another name; DataError if there are none."""
        if len(indices) == len(self) and np.array_equal(indices, np.arange(len(self))):
            return self if name == self.name else Dataset(name, self.images, self.labels, self.classes)
        return Dataset(name, self.images[indices], self.labels[indices], self.classes)

    def first(self, limit: int | None) -> Dataset:
        """Return the first ``limit`` images, or all of them for ``None``.

        Raises:
            DataError: ``limit`` is below 1 or above the number of images.
        """
        if limit is None or limit == len(self):
            return self
        if not 1 <= limit <= len(self):
            raise DataError(f"{self.name}: asked for {limit} images; it holds {len(self)} and at least 1 is needed")
        return Dataset(self.name, self.images[:limit], self.labels[:limit], self.classes)


def _order(images: NDArray[Any]) -> str:
    """What to do with images whose axes are in another order, as the end of a message."""
    if images.ndim == 4 and images.shape[3] in (1, 3):
        return ": the channels are last, so bring them to the front with images.transpose(0, 3, 1, 2)"
    return ": grey images need an axis for their channel, images[:, None]" if images.ndim == 3 else ""


def _first(labels: NDArray[np.int64], classes: tuple[str, ...]) -> str:
    """What to do with labels that start at 1, as the end of a message."""
    return ": they start at 1, so subtract 1" if labels.min() == 1 and labels.max() == len(classes) else ""


def as_labels(labels: NDArray[Any], name: str) -> NDArray[np.int64]:
    """Convert integer labels of any width to int64.

    Raises:
        DataError: the labels are not integers.
    """
    if labels.dtype.kind not in "iu":
        raise DataError(f"{name}: labels must be integers, got {labels.dtype}: convert them with labels.astype(int)")
    if labels.dtype == np.uint64 and np.any(labels >= 2**63):
        raise DataError(f"{name}: label {labels.max()} is beyond 64 bits")
    return labels.astype(np.int64)
