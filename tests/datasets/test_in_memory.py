"""Arrays and data sets of torch as data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fat_fpga.datasets import Dataset, as_dataset
from fat_fpga.errors import ArgumentError, DataError

PIL = pytest.importorskip("PIL.Image")
TensorDataset = torch.utils.data.TensorDataset


def equal(one: Dataset, other: Dataset) -> bool:
    return one.fingerprint == other.fingerprint and one.classes == other.classes


class Pictures(torch.utils.data.Dataset[Any]):
    """As those of torchvision: pictures of Pillow behind a transform, and names of classes."""

    def __init__(self, images: Any, labels: Any, transform: Callable[[Any], Any] = lambda image: image) -> None:
        self.images, self.labels, self.transform = images, labels, transform
        self.classes = ["cat", "dog", "fox"]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        pixels = self.images[index]
        picture = PIL.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
        return self.transform(picture), int(self.labels[index])


def to_tensor(picture: Any) -> Any:
    """What torchvision's ToTensor does."""
    pixels = torch.from_numpy(np.array(picture))
    pixels = pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)
    return pixels.to(torch.float32).div(255)


@given(st.data(), st.integers(1, 5), st.sampled_from([1, 3]))
def test_every_form_is_the_same_data(data: st.DataObject, count: int, channels: int) -> None:
    images = data.draw(arrays.arrays(np.uint8, (count, channels, 2, 3)))
    labels = data.draw(arrays.arrays(np.int64, count, elements=st.integers(0, 2)))
    expected = Dataset("a", images, labels, tuple(map(str, range(max(2, labels.max() + 1)))))
    assert as_dataset(expected) is expected
    assert equal(as_dataset((images, labels)), expected)
    tensors = torch.from_numpy(images), torch.from_numpy(labels)
    assert equal(as_dataset(tensors), expected)
    assert equal(as_dataset(TensorDataset(*tensors)), expected)
    assert equal(as_dataset(TensorDataset(tensors[0].float().div(255), tensors[1])), expected)
    named = Dataset("a", images, labels, ("cat", "dog", "fox"))
    assert equal(as_dataset(Pictures(images, labels)), named)
    assert equal(as_dataset(Pictures(images, labels, to_tensor)), named)
    assert as_dataset(Pictures(images, labels)).name == "torch:Pictures"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ((np.zeros((2, 3, 4, 4), np.uint8),), r"expected the pair \(images, labels\), got 1 entries"),
        ((np.zeros(2), np.zeros(2, int)), r"expected numbers \[N, ...\], as images .* got float64 \[2\]"),
        (TensorDataset(torch.zeros(2, 3, 4, 4)), r"expected pairs of an image and its label, image 0 is tuple of 1"),
        (TensorDataset(torch.randn(2, 3, 4, 4), torch.zeros(2)), "image 0 is not of whole pixels.*leave Normalize out"),
        (TensorDataset(torch.full((2, 1, 4, 4), float("nan")), torch.zeros(2)), "image 0 is not of whole pixels"),
        (TensorDataset(torch.zeros(2, 1, 4, 4), torch.zeros(2)), "labels must be integers, got float32"),
        (TensorDataset(torch.zeros(2, 1, 4, 4), torch.zeros(2, 3).long()), "its label is Tensor of 3"),
        (TensorDataset(torch.zeros(0, 1, 4, 4), torch.zeros(0)), "the data set holds no images"),
        (TensorDataset(torch.zeros(2, 1, 4, 4).long(), torch.zeros(2)), r"or floats \[C, H, W\], got int64"),
    ],
)  # fmt: skip
def test_what_is_no_data_is_told(data: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        as_dataset(data)


def test_what_is_of_no_type_is_told() -> None:
    with pytest.raises(ArgumentError, match=r"data: expected Dataset or .*, got the str 'demo:cifar10'.*load_data"):
        as_dataset("demo:cifar10")  # type: ignore[arg-type]
