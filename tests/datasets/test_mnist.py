"""MNIST idx files, plain and compressed, whole and damaged."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.datasets import load
from fat_fpga.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
LABELS = np.array([3, 1, 4, 1, 9], np.uint8)


def idx(values: np.ndarray) -> bytes:
    return bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def write(folder: Path, images: bytes, labels: bytes, compressed: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("t10k-images-idx3-ubyte", images), ("t10k-labels-idx1-ubyte", labels)):
        if compressed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("parent", ["", "raw", "MNIST/raw"])
def test_idx(tmp_path: Path, compressed: bool, parent: str) -> None:
    write(tmp_path / parent, idx(IMAGES), idx(LABELS), compressed)
    data = load(f"mnist:{tmp_path}")
    np.testing.assert_array_equal(data.images, IMAGES[:, None])
    np.testing.assert_array_equal(data.labels, LABELS)
    assert data.classes == tuple("0123456789")


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (idx(IMAGES)[:-1], idx(LABELS), "its header promises 3920 bytes of shape .5, 28, 28., 3919 follow"),
        (idx(IMAGES)[:9], idx(LABELS), "truncated in its header"),
        (b"", idx(LABELS), r"starts with the bytes \(none\)"),
        (idx(LABELS), idx(LABELS), "expected an idx file of uint8 with 3 dimensions"),
        (idx(IMAGES), idx(LABELS[:4]), "expected one int64 label per image, 5 in all"),
        (idx(IMAGES), idx(LABELS + 1), "label 10 of image 4 is outside the 10 classes"),
    ],
)
def test_damaged(tmp_path: Path, images: bytes, labels: bytes, message: str) -> None:
    write(tmp_path, images, labels, compressed=True)
    with pytest.raises(DataError, match=message):
        load(f"mnist:{tmp_path}")


def test_truncated_gzip(tmp_path: Path) -> None:
    write(tmp_path, idx(IMAGES), idx(LABELS), compressed=True)
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match="damaged gzip file"):
        load(f"mnist:{tmp_path}")
