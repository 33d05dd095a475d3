"""The grammar of data specifications, and what every data set promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.datasets import Dataset, load
from fat_fpga.errors import DataError

IMAGES = np.zeros((3, 1, 2, 2), np.uint8)
LABELS = np.array([0, 1, 0], np.int64)


@pytest.mark.parametrize("spec", ["imagenet:/data", "cifar10", "cifar10:", "", ":x"])
def test_unknown_kind_lists_the_known(spec: str) -> None:
    known = "cifar10:DIR, svhn:DIR, gtsrb:DIR, mnist:DIR, fsdd:DIR, tidigits:DIR, folder:DIR, npz:FILE, npy:DIR"
    known += ", demo:cifar10, demo:mnist"
    with pytest.raises(DataError, match=f"expected one of {known}"):
        load(spec)


def test_unknown_split() -> None:
    with pytest.raises(DataError, match="expected one of 'train', 'test', 'val', 'fit'"):
        load("cifar10:.", "valid")  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", [0, -1, 4])
def test_limit_outside_the_data(limit: int) -> None:
    with pytest.raises(DataError, match=f"asked for {limit} images; it holds 3"):
        Dataset("some", IMAGES, LABELS, ("a", "b")).first(limit)


def test_a_limit_that_cannot_be_is_told_before_anything_is_read() -> None:
    with pytest.raises(DataError, match="asked for 0 images; at least 1 is needed"):
        load("folder:nowhere", limit=0)


def test_fingerprint_depends_on_all_of_the_data() -> None:
    def fingerprint(images: np.ndarray, labels: np.ndarray) -> str:
        return Dataset("some", images, labels, ("a", "b")).fingerprint

    base = fingerprint(IMAGES, LABELS)
    assert base == fingerprint(IMAGES.copy(), LABELS.copy())
    assert base == fingerprint(np.asfortranarray(IMAGES), LABELS)
    assert base != fingerprint(IMAGES + np.uint8(1), LABELS)
    assert base != fingerprint(IMAGES, 1 - LABELS)
    assert base != fingerprint(IMAGES.reshape(3, 1, 4, 1), LABELS)


def test_loading_needs_no_torch() -> None:
    code = "import sys, fat_fpga.datasets, fat_fpga.models, fat_fpga.models.zoo; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_images_spread_evenly() -> None:
    data = load("demo:mnist", spread=10)
    np.testing.assert_array_equal(data.images, load("demo:mnist").images[::20])
    assert len(load("demo:mnist", spread=1000)) == 200
    with pytest.raises(DataError, match="asked for 0 images"):
        load("demo:mnist", spread=0)


@pytest.mark.parametrize("kind", ["cifar10", "mnist", "svhn", "gtsrb"])
def test_missing_data_say_where_they_are_to_be_had(tmp_path: Path, kind: str) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(DataError, match=r"expected .* in it or in .* below it; the official files are at http\S+"):
            load(f"{kind}:{folder}")
    with pytest.raises(DataError) as caught:
        load(f"{kind}:{tmp_path}")
    assert (f"--data demo:{kind}" in str(caught.value)) == (kind in ("cifar10", "mnist"))
