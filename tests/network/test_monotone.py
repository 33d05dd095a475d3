"""Functions between a matrix product and a quantiser: all that are monotone, executed as the file has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fat_fpga.errors import ModelError
from fat_fpga.network.lowering.walk import lower
from tests.designs.against_file import check_file
from tests.designs.against_qonnx import check_scores
from tests.designs.float_graph import GraphBuilder

RNG = np.random.default_rng(0)
CHANNELS = 6
SLOPES = np.linspace(0, 2, CHANNELS).reshape(CHANNELS, 1, 1)


def network(
    operator: str, *parameters: Any, scale: float = 0.25, least: float | None = None, **attributes: Any
) -> GraphBuilder:
    builder = GraphBuilder([1, 2, 5, 5])
    builder.quant(1 / 128, 8)
    builder.node("Conv", builder.quant(1.0, 3, first=RNG.normal(0, 1, (CHANNELS, 2, 3, 3))))
    builder.node("Mul", RNG.uniform(0.3, 1, (1, CHANNELS, 1, 1)))
    if least is not None:
        builder.node("Max", least)
    builder.node(operator, *parameters, name="culprit", **attributes)
    builder.quant(scale, 4)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(1.0, 3, first=RNG.normal(0, 1, (CHANNELS * 9, 4))))
    return builder


FUNCTIONS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "Elu": ((), {"alpha": 1.5}),
    "Selu": ((), {}),
    "Celu": ((), {"alpha": 0.7}),
    "LeakyRelu": ((), {"alpha": 0.1}),
    "PRelu": ((SLOPES,), {}),
    "ThresholdedRelu": ((), {"alpha": 0.5}),
    "Sigmoid": ((), {"scale": 1 / 16}),
    "HardSigmoid": ((), {"scale": 1 / 16}),
    "Tanh": ((), {"scale": 1 / 8}),
    "Softplus": ((), {}),
    "Softsign": ((), {"scale": 1 / 8}),
    "Erf": ((), {"scale": 1 / 8}),
    "Exp": ((), {}),
    "Floor": ((), {}),
    "Ceil": ((), {}),
    "Round": ((), {}),
    "Sign": ((), {}),
    "Atan": ((), {}),
    "Asinh": ((), {}),
    "Sinh": ((), {}),
    "Min": ((1.0, 0.75), {}),
    "Max": ((RNG.normal(0, 0.5, (1, CHANNELS, 1, 1)),), {}),
    "Sqrt": ((), {"least": 0.0}),
    "Log": ((), {"least": 0.125}),
}


@pytest.mark.parametrize("operator", FUNCTIONS)
def test_monotone_functions(operator: str) -> None:
    parameters, attributes = FUNCTIONS[operator]
    check_scores(network(operator, *parameters, **attributes).model(16))


TABLES: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "Abs": ((), {}),
    "Celu": ((), {"alpha": -1.0}),
    "Cos": ((), {}),
    "Elu": ((), {"alpha": -0.5}),
    "Gelu": ((), {}),
    "HardSigmoid": ((), {"alpha": -1.0}),
    "HardSwish": ((), {}),
    "LeakyRelu": ((), {"alpha": -0.1}),
    "Mish": ((), {}),
    "PRelu": ((SLOPES - 0.5,), {}),
    "Pow": ((2.0,), {}),
    "Selu": ((), {"gamma": -1.0}),
    "Sin": ((), {}),
    "ThresholdedRelu": ((), {"alpha": -1.0}),
}


@pytest.mark.parametrize("operator", TABLES)
def test_other_functions_are_tables(operator: str) -> None:
    parameters, attributes = TABLES[operator]
    found = check_file(network(operator, *parameters, **attributes).model(20))
    assert [layer.name for layer in found.layers] == ["conv0", "conv0.table", "fc1"]


@pytest.mark.parametrize(
    ("operator", "parameters", "attributes", "reason"),
    [
        ("Sqrt", (), {}, "it yields values that are not finite"),
        ("Log", (), {}, "it yields values that are not finite"),
        ("Softmax", (), {"axis": 1}, "expected it over all classes, got axis 1 of [6, 3, 3]"),
        ("Cast", (), {"to": 7}, "a cast to INT64 can change values"),
        ("Cast", (), {"to": 10}, "a cast to FLOAT16 can change values"),
        ("Cast", (), {"to": 11}, "a cast to DOUBLE can change values"),
    ],
)
def test_what_is_no_function_of_integers(
    operator: str, parameters: tuple[Any, ...], attributes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ModelError) as caught:
        lower(network(operator, *parameters, **attributes).model(20), "network")
    assert str(caught.value).startswith(f"node 'culprit' ({operator}): {reason}")


@pytest.mark.parametrize(
    ("cut", "count"), [(("Relu", ()), 4), (("Clip", (-0.5, 0.5)), 5), (("Clip", (-9.0, 9.0)), 8), (("Clip", ()), 8)]
)
def test_levels_that_are_cut_behind_a_quantiser(cut: tuple[str, tuple[float, ...]], count: int) -> None:
    builder = GraphBuilder([1, 12])
    builder.quant(1 / 128, 8)
    builder.node("MatMul", builder.quant(1.0, 3, first=RNG.normal(0, 1, (12, 8))))
    builder.quant(0.25, 3)
    builder.node(cut[0], *cut[1])
    builder.node("MatMul", builder.quant(1.0, 3, first=RNG.normal(0, 1, (8, 4))))
    levels = check_scores(builder.model()).units[0].levels
    assert levels is not None
    assert levels.count == count


def test_a_cut_between_two_levels_leaves_the_grid() -> None:
    builder = GraphBuilder([1, 12])
    builder.quant(1 / 128, 8)
    builder.node("MatMul", builder.quant(1.0, 3, first=RNG.normal(0, 1, (12, 8))))
    builder.quant(0.25, 3)
    builder.node("Clip", -0.3, 0.5, name="culprit")
    builder.node("MatMul", builder.quant(1.0, 3, first=RNG.normal(0, 1, (8, 4))))
    with pytest.raises(
        ModelError, match=r"node 'culprit' \(Clip\) cuts at -0.3, which is no multiple of the step 0.25"
    ):
        lower(builder.model(), "network")
