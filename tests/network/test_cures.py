"""A refusal says what to do, where there is something to do."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fat_fpga.datasets.dataset import Dataset
from fat_fpga.errors import DataError, ModelError
from fat_fpga.network import load_network
from fat_fpga.network.lowering.walk import lower
from tests.designs.float_graph import GraphBuilder

from .test_refusals import CASES, whole

CURES = {
    "unsupported operator": "docs/operators.md lists those that are read",
    "sine": "needs a quantiser behind it",
    "float weights": "export without it",
    "no quantiser": "it needs a quantiser in front, .* QuantIdentity or QuantReLU",
    "wrong groups": "is that channels first?",
    "dilations": "is that channels first?",
    "auto_pad": "give pads",
    "wrong channels": "is that channels first",
    "pool first": "it needs a quantiser in front, .* QuantIdentity or QuantReLU",
    "pool last": "end the model with a fully connected layer",
    "dilated pool": "take dilation=1",
    "negative scale behind pool": "quantise first",
    "scale per channel": "scaling_per_output_channel=True in Brevitas",
    "scale within a row": "quantise weights with one scale for the tensor, or one for each output channel",
    "parameters per pixel": "take one for the tensor or for each channel",
    "not flat": "flatten it first",
    "batch mixed up": "flatten from axis 1 on",
    "integer cast": "export the model without it",
    "wide activations": "at most 16 bits",
    "largest two": "export the model without it, or with k=1",
    "smallest": "export the model without it",
    "last largest": "export the model without it",
    "training batch norm": "export the model in evaluation mode",
    "dynamic shape": "export the model with an example image",
    "other datatype": "or a datatype of integers, as INT8",
    "residual": "in Brevitas QuantIdentity or QuantReLU",
    "no matrix product": "is it the whole model",
    "output elsewhere": "export the model with its class scores as output",
}
UNKNOWN = {
    "groups": "the file is damaged",
    "square": "no integer operator multiplies streams yet",
    "parameters that do not fit": "the file is damaged",
    "not finite": "the file divides by zero",
}
"""Refusals that no option and no other export helps against, and why."""


def test_every_refusal_is_looked_at() -> None:
    assert CURES.keys() | UNKNOWN.keys() == CASES.keys()


@pytest.mark.parametrize("case", CURES)
def test_a_refusal_says_what_to_do(case: str) -> None:
    with pytest.raises(ModelError) as caught:
        lower(CASES[case][0]().model(), "network")
    assert re.search(CURES[case], str(caught.value)), str(caught.value)


@pytest.mark.parametrize(
    ("values", "shape", "words"),
    [
        (784, (1, 20, 20), "are 400: is it --image-shape 1,28,28?"),
        (3072, (1, 28, 28), "are 784: is it --image-shape 3,32,32?"),
        (10, (1, 5, 5), "and [1, 5, 5] are 25"),
    ],
)
def test_image_shapes_that_do_not_fit_a_flat_input(values: int, shape: tuple[int, int, int], words: str) -> None:
    builder = GraphBuilder([1, values], "UINT8")
    builder.node("MatMul", np.ones((values, 3)))
    with pytest.raises(ModelError) as caught:
        lower(builder.model(), "network", image_shape=shape)
    assert str(caught.value).endswith(words)


def test_an_image_shape_for_a_file_that_has_its_own() -> None:
    with pytest.raises(ModelError, match=r"not \[1, 5, 5\]: leave --image-shape out"):
        lower(whole().model(), "network", image_shape=(1, 5, 5))


IMAGES, LABELS = np.zeros((2, 1, 28, 28), np.uint8), np.array([0, 1], np.int64)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (IMAGES.transpose(0, 2, 3, 1), r"\.transpose\(0, 3, 1, 2\)"),
        (IMAGES[:, 0], r"images\[:, None\]"),
        (IMAGES / 255, "multiply by 255 first if they are 0 to 1"),
    ],
)
def test_arrays_of_another_form(images: np.ndarray, words: str) -> None:
    with pytest.raises(DataError, match=words):
        load_network("tfc_w2a2").input.taken(images)


def test_labels_that_start_at_1() -> None:
    with pytest.raises(DataError, match="they start at 1, so subtract 1"):
        Dataset("own", IMAGES, LABELS + 1, ("a", "b"))
