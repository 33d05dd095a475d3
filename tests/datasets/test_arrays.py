"""Numpy files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fat_fpga.datasets import load
from fat_fpga.datasets.arrays import of_arrays
from fat_fpga.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 3, 5, 4), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 2, 1, 0])


def test_npz_and_npy_hold_the_same(tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", images=IMAGES, labels=LABELS.astype(np.uint8))
    np.save(tmp_path / "images.npy", IMAGES)
    np.save(tmp_path / "labels.npy", LABELS)
    from_npz, from_npy = load(f"npz:{tmp_path / 'some.npz'}"), load(f"npy:{tmp_path}")
    np.testing.assert_array_equal(from_npz.images, IMAGES)
    assert from_npz.labels.dtype == np.int64
    assert from_npz.classes == from_npy.classes == ("0", "1", "2")
    assert from_npz.fingerprint == from_npy.fingerprint


def test_class_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", images=IMAGES, labels=LABELS, classes=np.array(["cat", "dog", "emu", "fox"]))
    assert load(f"npz:{tmp_path / 'some.npz'}").classes == ("cat", "dog", "emu", "fox")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"labels": LABELS}, "expected the arrays 'images' and 'labels', found .'labels'."),
        ({"images": LABELS, "labels": LABELS}, r"expected numbers \[N, \.\.\.\], .* got int64 \[6\]"),
        ({"images": np.full((6, 2), "a"), "labels": LABELS}, r"expected numbers .* got <U1 \[6, 2\]"),
        ({"images": IMAGES[0], "labels": LABELS}, "expected one int64 label per image, 3 in all"),
        ({"images": IMAGES, "labels": LABELS[:5]}, "expected one int64 label per image, 6 in all"),
        ({"images": IMAGES, "labels": LABELS * 0.5}, "labels must be integers, got float64"),
        ({"images": IMAGES, "labels": LABELS - 1}, "label -1 of image 0 is outside"),
        ({"images": IMAGES, "labels": LABELS, "classes": np.array(["a", "b"])}, "label 2 of image 2 is outside"),
        ({"images": IMAGES, "labels": LABELS, "classes": np.arange(3)}, "'classes' must be a list of text"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, "holds no images"),
        (
            {"images": np.array([None]), "labels": LABELS},
            "the array 'images' is of type object, expected numbers or text",
        ),
    ],
)
def test_unfit(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "some.npz", **arrays)
    with pytest.raises(DataError, match=message):
        load(f"npz:{tmp_path / 'some.npz'}")


def test_damaged(tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", images=IMAGES, labels=LABELS)
    content = (tmp_path / "some.npz").read_bytes()
    (tmp_path / "some.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="not a readable numpy file"):
        load(f"npz:{tmp_path / 'some.npz'}")
    np.save(tmp_path / "images.npy", IMAGES)
    with pytest.raises(DataError, match=r"expected an \.npz file"):
        load(f"npz:{tmp_path / 'images.npy'}")
    with pytest.raises(DataError, match=r"images\.npy: no such file"):
        load(f"npy:{tmp_path / 'other'}")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 2**40, 1, 1, 1, 1]), "label 1099511627776 of image 1 is beyond 100,000 classes"),
        (np.array([0, 2**64 - 1, 1, 1, 1, 1], np.uint64), "label 18446744073709551615 is beyond 64 bits"),
    ],
)
def test_huge_labels(tmp_path: Path, labels: Any, message: str) -> None:
    np.savez(tmp_path / "some.npz", images=IMAGES, labels=labels)
    with pytest.raises(DataError, match=message):
        load(f"npz:{tmp_path / 'some.npz'}")


def test_names_of_classes_are_printable(tmp_path: Path) -> None:
    names = np.array(["\x1b[2J", "two\nlines", "x" * 5000])
    np.savez(tmp_path / "some.npz", images=IMAGES, labels=LABELS, classes=names)
    first, second, third = load(f"npz:{tmp_path / 'some.npz'}").classes
    assert (first, second) == ("\\x1b[2J", "two lines")
    assert len(third) <= 200


@pytest.mark.parametrize("rows", [np.zeros((6, 5)), np.zeros((6, 2, 9), np.int8), np.zeros((6, 4, 4, 3), np.float32)])
def test_other_data_than_images_and_no_labels(tmp_path: Path, rows: Any) -> None:
    np.savez(tmp_path / "some.npz", images=rows)
    np.save(tmp_path / "images.npy", rows)
    for spec in (f"npz:{tmp_path / 'some.npz'}", f"npy:{tmp_path}"):
        data = load(spec, limit=4)
        assert np.array_equal(data.images, rows[:4])
        assert data.images.dtype == rows.dtype
        assert not data.labelled
        assert "4 rows" in repr(data)
        assert repr(data).endswith("no labels>")
        with pytest.raises(DataError, match="has no labels, and training needs them: add an array 'labels'"):
            data.need_labels("training")
        with pytest.raises(DataError, match=r"training takes uint8 images \[N, C, H, W\] with C 1 or 3, got"):
            data.need_images("training")


def test_what_to_do_with_channels_that_are_last_or_missing() -> None:
    for images, words in ((IMAGES.transpose(0, 2, 3, 1), "the channels are last"), (IMAGES[:, 0], "an axis for their")):
        with pytest.raises(DataError, match=words):
            of_arrays("some", images, LABELS).need_images("training")
