"""Max-pools in front of the activation quantiser, between two, behind it, and over whole images."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fat_fpga.errors import ModelError
from fat_fpga.network import MaxPool
from fat_fpga.network.lowering.walk import lower
from tests.designs.against_qonnx import check_scores
from tests.designs.float_graph import GraphBuilder

RNG = np.random.default_rng(0)
CHANNELS = 6
GAIN = np.array([1.0, -0.5, 0.25, -2, 0.75, 0]).reshape(1, CHANNELS, 1, 1)
SHIFT = RNG.normal(0, 1, (1, CHANNELS, 1, 1))


def start(side: int = 9) -> GraphBuilder:
    builder = GraphBuilder([1, 2, side, side])
    builder.quant(1 / 128, 8)
    builder.node("Conv", builder.quant(1.0, 3, first=RNG.normal(0, 1, (CHANNELS, 2, 3, 3))), name="the_conv")
    return builder


def pool(builder: GraphBuilder, operator: str = "MaxPool", **attributes: Any) -> None:
    builder.node(operator, name="culprit", **(attributes or {"kernel_shape": [2, 2], "strides": [2, 2]}))


def finish(builder: GraphBuilder, pixels: int = 9, flatten: bool = True) -> GraphBuilder:
    if flatten:
        builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(1.0, 3, first=RNG.normal(0, 1, (CHANNELS * pixels, 4))))
    return builder


def norm(builder: GraphBuilder) -> None:
    mean, variance = RNG.normal(0, 2, CHANNELS), RNG.uniform(1, 9, CHANNELS)
    builder.node("BatchNormalization", GAIN.ravel(), SHIFT.ravel(), mean, variance, name="norm")


def layers(builder: GraphBuilder) -> list[str]:
    return [layer.name for layer in check_scores(builder.model()).layers]


def test_a_pool_right_behind_the_product() -> None:
    builder = start()
    pool(builder)
    builder.node("Mul", np.abs(GAIN))
    builder.node("Add", SHIFT)
    builder.node("Relu")
    builder.quant(0.5, 3, signed=0)
    assert layers(finish(builder)) == ["conv0", "conv0.pool", "fc1"]


def test_the_chain_in_front_of_a_pool_may_decrease() -> None:
    for form in ("Mul", "norm"):
        builder = start()
        if form == "norm":
            norm(builder)
        else:
            builder.node("Mul", GAIN)
        pool(builder)
        builder.quant(0.5, 3)
        assert layers(finish(builder)) == ["conv0", "conv0.pool", "fc1"]


def test_the_order_is_turned_round_behind_one_pool_of_two() -> None:
    builder = start()
    norm(builder)
    pool(builder)
    builder.node("Neg")
    pool(builder)
    builder.quant(0.5, 3)
    with pytest.raises(ModelError, match=r"'culprit' \(MaxPool\): it lies in front of node 'Neg_\d+' \(Neg\)"):
        lower(finish(builder, 1).model(), "network")


def test_the_chain_behind_a_pool_must_not_decrease() -> None:
    builder = start()
    pool(builder)
    norm(builder)
    builder.quant(0.5, 3)
    with pytest.raises(ModelError) as caught:
        lower(finish(builder).model(), "network")
    assert str(caught.value).startswith(
        "node 'culprit' (MaxPool): it lies in front of node 'norm' (BatchNormalization), which decreases for channel 1:"
    )


def test_two_wrongs_make_a_right() -> None:
    builder = start()
    pool(builder)
    builder.node("Neg")
    builder.node("Mul", -0.5)
    builder.quant(0.5, 3)
    assert layers(finish(builder)) == ["conv0", "conv0.pool", "fc1"]


def test_pools_around_two_quantisers() -> None:
    builder = start(16)
    builder.node("Mul", GAIN)
    builder.quant(0.25, 5)
    pool(builder)
    builder.node("Add", 0.3)
    builder.quant(0.75, 3)
    pool(builder)
    builder.node("Mul", 2.0)
    network = check_scores(finish(builder).model())
    assert [layer.name for layer in network.layers] == ["conv0", "conv0.pool", "conv0.pool2", "fc1"]
    assert network.units[0].levels is not None
    assert network.units[0].levels.count == 8


@pytest.mark.parametrize("place", ["front", "behind"])
@pytest.mark.parametrize("operator", ["GlobalMaxPool", "ReduceMax", "ReduceMax flat", "ReduceMax input"])
def test_the_maximum_of_the_whole_image(operator: str, place: str) -> None:
    builder = start()
    if place == "behind":
        builder.quant(2.0, 4)
    flat, opset = operator.endswith("flat"), 18 if operator.endswith("input") else 13
    if operator == "GlobalMaxPool":
        builder.node(operator)
    elif opset == 18:
        builder.node("ReduceMax", builder.constant([-1, -2], np.int64))
    else:
        builder.node("ReduceMax", axes=[2, 3], keepdims=0 if flat else 1)
    if place == "front":
        builder.quant(2.0, 4)
    network = check_scores(finish(builder, 1, flatten=not flat).model(opset))
    assert isinstance(network.layers[1], MaxPool)
    assert network.layers[1].kernel == (7, 7)


def test_ceil_mode_that_changes_nothing_and_one_that_does() -> None:
    for side, padding in ((8, (0, 0, 0, 0)), (9, (0, 0, 1, 1))):
        builder = start(side)
        builder.quant(1.0, 3)
        pool(builder, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
        network = check_scores(finish(builder, 16 if any(padding) else 9).model())
        assert isinstance(network.layers[1], MaxPool)
        assert network.layers[1].padding == padding


OPERATORS: dict[str, Callable[[GraphBuilder, np.random.Generator], Any]] = {
    "gain": lambda builder, rng: builder.node("Mul", rng.choice([-1.0, 1, 0.5, 0], (1, CHANNELS, 1, 1))),
    "positive": lambda builder, rng: builder.node("Mul", rng.uniform(0.5, 2, (1, CHANNELS, 1, 1))),
    "shift": lambda builder, rng: builder.node("Add", rng.normal(0, 2, (1, CHANNELS, 1, 1))),
    "negative": lambda builder, rng: builder.node("Neg"),
    "relu": lambda builder, rng: builder.node("Relu"),
    "quantiser": lambda builder, rng: builder.quant(0.5, 4),
    "pool": lambda builder, rng: builder.node("MaxPool", kernel_shape=[2, 2]),
}


@given(st.lists(st.sampled_from(list(OPERATORS)), max_size=6), st.integers(0, 2**32 - 1))
def test_a_pool_anywhere_is_right_or_refused(names: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    builder = start(7)
    for name in [*names, "quantiser", "pool"]:
        OPERATORS[name](builder, rng)
    side = 5 - names.count("pool") - 1
    assume(side > 0)
    model = finish(builder, side**2).model()
    try:
        lower(model, "network")
    except ModelError as error:
        message = str(error)
    else:
        check_scores(model, expect_difference=False)
        return
    assert re.search(r"\(MaxPool\): it lies in front of node '\w+' \((Mul|Neg)\), which decreases", message)
    assert {"gain", "negative"} & set(names)


def test_what_reduces_other_axes() -> None:
    for axes in ([1], [0, 2], [1, 2, 3]):
        builder = start()
        builder.quant(1.0, 3)
        builder.node("ReduceMax", name="culprit", axes=axes, keepdims=1)
        with pytest.raises(ModelError, match=r"'culprit' \(ReduceMax\): expected the maximum over the whole"):
            lower(builder.model(), "network")
