"""The bundled images."""

from __future__ import annotations

import numpy as np
import pytest

from fat_fpga.datasets import load
from fat_fpga.errors import DataError


def test_a_thousand_real_test_images() -> None:
    data = load("demo:cifar10")
    assert data.images.shape == (1000, 3, 32, 32)
    assert len(data.classes) == 10
    assert (np.bincount(data.labels, minlength=10) > 80).all()
    assert 100 < data.images.mean() < 140


def test_two_hundred_digits_for_boards() -> None:
    data = load("demo:mnist")
    assert data.images.shape == (200, 1, 28, 28)
    assert (np.bincount(data.labels, minlength=10) >= 10).all()


def test_unknown_bundled_images() -> None:
    with pytest.raises(DataError, match="no bundled images 'svhn'; there are: cifar10, mnist"):
        load("demo:svhn")
