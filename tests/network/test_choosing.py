"""Comparisons, truth values, and what chooses by them: tables, as qonnx executes the file."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fat_fpga.errors import ModelError
from fat_fpga.network.layers import Table
from fat_fpga.network.lowering.walk import lower
from tests.designs.against_file import check_file
from tests.designs.float_graph import GraphBuilder

Build = Callable[[GraphBuilder], None]


def built(build: Build, scale: float = 0.125) -> onnx.ModelProto:
    """A convolution of four channels, what is in question, a quantiser, and a product."""
    rng, builder = np.random.default_rng(0), GraphBuilder([1, 2, 4, 4])
    builder.quant(2.0**-7, 8)
    builder.node("Conv", builder.quant(0.5, 3, first=rng.normal(0, 1, (4, 2, 3, 3))), pads=[1, 1, 1, 1])
    build(builder)
    builder.quant(scale, 4)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(0.5, 3, first=rng.normal(0, 1, (64, 4))))
    return builder.model()


def limits(draw: st.DrawFn) -> np.ndarray:
    """One number for the tensor, or one for each channel; many are values that a sum has."""
    shape = draw(st.sampled_from([(), (1, 4, 1, 1)]))
    numbers = draw(st.lists(st.integers(-12, 12), min_size=4, max_size=4))
    return np.array(numbers if shape else numbers[0]).reshape(shape) / 16


@st.composite
def choices(draw: st.DrawFn) -> onnx.ModelProto:
    """A random tree of choices on the sums."""

    def truth(builder: GraphBuilder, x: str, depth: int) -> str:
        kind = draw(st.sampled_from(["Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal", "Not", "Xor", "Two"]))
        if kind == "Two":
            return builder.node("Less", number(builder, x, depth - 1), first=number(builder, x, depth - 1))
        if kind == "Not" and depth:
            return builder.node("Not", first=truth(builder, x, depth - 1))
        if kind == "Xor" and depth:
            operator = draw(st.sampled_from(["And", "Or", "Xor"]))
            return builder.node(operator, truth(builder, x, depth - 1), first=truth(builder, x, depth - 1))
        compared = kind if kind not in ("Not", "Xor") else "Less"
        constant = builder.constant(limits(draw))
        first, second = draw(st.permutations([x, constant]))
        return builder.node(compared, second, first=first)

    def number(builder: GraphBuilder, x: str, depth: int) -> str:
        kind = draw(st.sampled_from(["itself", "Abs", "Cast", "Where", "Where"]))
        if depth <= 0 or kind == "itself":
            return x
        if kind == "Abs":
            return builder.node("Abs", first=number(builder, x, depth - 1))
        if kind == "Cast":
            return builder.node("Cast", first=truth(builder, x, depth - 1), to=onnx.TensorProto.FLOAT)
        ways = [
            number(builder, x, depth - 1) if draw(st.booleans()) else builder.constant(limits(draw)) for _ in range(2)
        ]
        return builder.node("Where", *ways, first=truth(builder, x, depth - 1))

    def build(builder: GraphBuilder) -> None:
        x = builder.tensor
        ways = number(builder, x, 1), builder.constant(limits(draw))
        builder.tensor = builder.node("Where", *ways, first=truth(builder, x, 2))

    return built(build, draw(st.sampled_from([0.125, 0.0625])))


@settings(max_examples=max(12, settings().max_examples // 10))
@given(model=choices())
def test_choices_are_those_of_the_file(model: onnx.ModelProto) -> None:
    check_file(model, 2, told=False)


def softplus(builder: GraphBuilder) -> None:
    """As torch's exporter of graphs writes it: the larger values go on as they are."""
    x = builder.tensor
    builder.node("Exp")
    builder.node("Add", 1.0)
    builder.node("Log")
    builder.tensor = builder.node("Where", x, builder.tensor, first=builder.node("Greater", 20.0, first=x))


def on_a_stream(builder: GraphBuilder) -> None:
    """Behind a quantiser, so of few levels."""
    builder.quant(0.125, 4)
    x = builder.tensor
    builder.tensor = builder.node("Where", builder.constant(-0.25), x, first=builder.node("Less", 0.0, first=x))


def by_channel(builder: GraphBuilder) -> None:
    """The choice is a constant: some channels are left out."""
    mask = builder.constant(np.array([True, False, True, False]).reshape(1, 4, 1, 1), np.bool_)
    builder.tensor = builder.node("Where", builder.tensor, builder.constant(0.5), first=mask)


@pytest.mark.parametrize("build", [softplus, on_a_stream, by_channel])
def test_forms_of_choices_become_tables(build: Build) -> None:
    network = check_file(built(build))
    assert sum(isinstance(layer, Table) for layer in network.layers) == 1


def no_cast(builder: GraphBuilder) -> None:
    builder.node("Less", 0.25)


def arithmetic(builder: GraphBuilder) -> None:
    builder.node("Less", 0.25)
    builder.node("Mul", 2.0)


def doubles(builder: GraphBuilder) -> None:
    numbers = (builder.constant(number, np.float64) for number in (1.0, 2.0))
    builder.tensor = builder.node("Where", *numbers, first=builder.node("Less", 0.25, first=builder.tensor))
    builder.node("Add", 1.0)


def by_position(builder: GraphBuilder) -> None:
    mask = builder.constant(np.eye(4).astype(bool)[None, None], np.bool_)
    builder.tensor = builder.node("Where", builder.tensor, builder.constant(0.5), first=mask)


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (no_cast, "(Quant): it computes on bool: cast to float32 first"),
        (arithmetic, "(Mul): it computes on bool: cast to float32 first"),
        (doubles, "(Add): it computes on float64: cast to float32 first"),
        (by_position, "(Where): its parameters differ between the pixels of a channel"),
    ],
)
def test_what_is_no_choice_of_numbers_is_refused(build: Build, reason: str) -> None:
    with pytest.raises(ModelError, match=re.escape(reason)):
        lower(built(build), "network")
