"""Chains that are no thresholds: tables, fixed point, sums as streams, sums of grids that have nothing in common."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.crosscheck import KINDS, crosscheck, random_images, sample_faults
from fat_fpga.crosscheck.table import crosscheck_text
from fat_fpga.engines import get
from fat_fpga.engines.file_engine import FileEngine
from fat_fpga.errors import ModelError
from fat_fpga.network import Levels, load_network, write_qonnx
from fat_fpga.network.layers import Requantise, Table
from fat_fpga.network.lowering import activation
from fat_fpga.network.lowering.walk import lower
from fat_fpga.network.network_file import read_network, write_network
from tests.designs.against_file import check_file
from tests.designs.float_graph import GraphBuilder

Build = Callable[[GraphBuilder], None]
RNG = np.random.default_rng(0)


def start() -> GraphBuilder:
    builder = GraphBuilder([1, 2, 4, 4])
    builder.quant(2.0**-7, 8)
    return builder


def product(builder: GraphBuilder, inputs: int = 2, scale: float | np.ndarray = 0.5) -> None:
    builder.node("Conv", builder.quant(scale, 3, first=RNG.normal(0, 1, (4, inputs, 3, 3))), pads=[1, 1, 1, 1])


def norm(builder: GraphBuilder) -> None:
    builder.node(
        "BatchNormalization", RNG.uniform(0.5, 1, 4), RNG.normal(0, 0.2, 4), RNG.normal(0, 1, 4), RNG.uniform(1, 2, 4)
    )


def built(build: Build) -> GraphBuilder:
    """A convolution, what is in question, and a product."""
    builder = start()
    product(builder)
    build(builder)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(0.5, 3, first=RNG.normal(0, 1, (64, 4))))
    return builder


def silu(builder: GraphBuilder) -> None:
    norm(builder)
    before = builder.tensor
    builder.node("Sigmoid")
    builder.node("Mul", before)
    builder.quant(0.125, 4)


def gelu(builder: GraphBuilder) -> None:
    before = builder.tensor
    builder.node("Div", 2**0.5)
    builder.node("Erf")
    builder.node("Add", 1.0)
    builder.node("Mul", before)
    builder.node("Mul", 0.5)
    builder.quant(0.125, 4)


def square(builder: GraphBuilder) -> None:
    builder.node("Mul", builder.tensor)
    builder.quant(0.25, 4, signed=0)


def table_on_a_stream(builder: GraphBuilder) -> None:
    builder.quant(0.25, 4)
    builder.node("Abs")
    builder.quant(0.5, 2, signed=0)


def integer_bias(builder: GraphBuilder) -> None:
    builder.node("Add", RNG.integers(-9, 9, (1, 4, 1, 1)) / 256)
    builder.node("Relu")


def nothing_between(builder: GraphBuilder) -> None:
    """The sums go on as they are."""


def wide_quantiser(builder: GraphBuilder) -> None:
    builder.node("Mul", 2.0)
    builder.quant(2.0**-9, 12)


def wide_thresholds(builder: GraphBuilder) -> None:
    norm(builder)
    builder.quant(2.0**-7, 10)


def fork(builder: GraphBuilder) -> None:
    """Two quantisers behind one batch norm."""
    norm(builder)
    before = builder.tensor
    builder.quant(0.25, 3)
    first = builder.tensor
    builder.tensor = before
    builder.node("Relu")
    builder.quant(0.5, 2, signed=0)
    builder.node("Add", first)


def pools_of_a_fork(builder: GraphBuilder) -> None:
    builder.node("MaxPool", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    before = builder.tensor
    builder.quant(0.25, 3)
    first = builder.tensor
    builder.tensor = before
    builder.quant(0.5, 3)
    builder.node("Add", first)


def sums_added(builder: GraphBuilder) -> None:
    """A residual connection without quantisers."""
    before = builder.tensor
    builder.quant(0.5, 3)
    product(builder, 4, 0.25)
    builder.node("Add", before)
    builder.node("Relu")


def pairs(builder: GraphBuilder) -> None:
    before = builder.tensor
    builder.quant(0.3, 3)
    first = builder.tensor
    builder.tensor = before
    builder.quant(0.1414, 4)
    builder.node("Sub", first)
    builder.node("Relu")
    builder.quant(0.25, 4, signed=0)


CASES: dict[str, tuple[Build, list[str]]] = {
    "silu": (silu, ["conv0", "conv0.table", "fc1"]),
    "gelu": (gelu, ["conv0", "conv0.table", "fc1"]),
    "square": (square, ["conv0", "conv0.table", "fc1"]),
    "table on a stream": (table_on_a_stream, ["conv0", "conv0.table", "fc1"]),
    "integer bias": (integer_bias, ["conv0", "conv0.requantise", "fc1"]),
    "nothing between": (nothing_between, ["conv0", "fc1"]),
    "wide quantiser": (wide_quantiser, ["conv0", "conv0.requantise", "fc1"]),
    "wide thresholds": (wide_thresholds, ["conv0", "fc1"]),
    "fork": (fork, ["conv0", "conv0.thresholding", "conv0.thresholding2", "add0", "fc1"]),
    "pools of a fork": (
        pools_of_a_fork,
        ["conv0", "conv0.thresholding", "conv0.pool", "conv0.thresholding2", "conv0.pool2", "add0", "fc1"],
    ),
    "sums added": (sums_added, ["conv0", "conv0.thresholding", "conv1", "add0", "add0.requantise", "fc2"]),
    "pairs": (pairs, ["conv0", "conv0.thresholding", "conv0.thresholding2", "add0", "add0.thresholding", "fc1"]),
}


@pytest.mark.parametrize("case", CASES)
def test_against_the_file_and_in_every_engine(case: str, tmp_path: Path) -> None:
    build, names = CASES[case]
    model = built(build).model()
    network = check_file(model, 2)
    assert [layer.name for layer in network.layers] == names
    onnx.save(model, path := tmp_path / "network.onnx")
    network = load_network(path)
    quick = {"reference": get("reference"), "torch": get("torch")}
    slow = {"reference": get("reference"), "qonnx": get("qonnx"), "file": FileEngine(path)}
    for engines, count in ((quick, 20), (slow, 2)):
        faults = sample_faults(network, KINDS, count, 1)
        check = crosscheck(network, random_images(network, 1 if engines is slow else 3), faults, engines)
        assert check.equal, crosscheck_text(check)
    write_qonnx(network, tmp_path / "written.onnx")
    write_network(network, tmp_path / "written.npz")
    assert load_network(tmp_path / "written.onnx").fingerprint == network.fingerprint
    assert read_network(tmp_path / "written.npz").fingerprint == network.fingerprint


def test_a_table_by_hand() -> None:
    table = Table(
        "a.table",
        np.array([[-1, 2], [0, 2**31 - 1]], np.int32),
        np.array([[4, 0, 2], [2, 4, 4]], np.int32),
        Levels(0, 2, 3),
    )
    x = np.array([-9, -2, -1, 1, 2, 9], np.int32)
    found = table.output(np.stack([x, x])[None, :, None])
    assert found[0, 0, 0].tolist() == [4, 4, 0, 0, 2, 2]
    assert found[0, 1, 0].tolist() == [2, 2, 2, 4, 4, 4]
    with pytest.raises(ModelError, match=r"a.table: its values must be among the levels"):
        Table("a.table", table.starts, table.values + 1, table.levels)
    with pytest.raises(ModelError, match=r"a.table: starts must ascend"):
        Table("a.table", table.starts[:, ::-1].copy(), table.values, table.levels)


@given(
    st.integers(-(2**20), 2**20), st.integers(-(2**20), 2**20), st.integers(0, 20), st.sampled_from(["even", "down"])
)
def test_fixed_point_by_fractions(factor: int, offset: int, shift: int, rounding: str) -> None:
    x = np.array([-1000, -3, -1, 0, 1, 2, 777], np.int32)
    factors, offsets = (np.array([value], np.int32) for value in (factor, offset))
    layer = Requantise("a.requantise", factors, offsets, shift, -(2**28), 2**28, rounding)
    wanted = []
    for value in x.tolist():
        exact = Fraction(factor * value + offset, 2**shift)
        wanted.append(max(min(round(exact) if rounding == "even" else floor(exact), 2**28), -(2**28)))
    assert layer.output(x[None, None, None])[0, 0, 0].tolist() == wanted
    levels = layer.output_levels(Levels(-1000, 1, 1778))
    assert levels is not None
    assert all(levels.min <= value <= levels.max for value in wanted)
    assert all((value - levels.min) % levels.step == 0 for value in wanted)


def float_bias(builder: GraphBuilder) -> None:
    builder.node("Add", RNG.normal(0, 1, (1, 4, 1, 1)))


def no_quantiser_behind(builder: GraphBuilder) -> None:
    builder.node("Tanh", name="culprit")


def pairs_without_a_quantiser(builder: GraphBuilder) -> None:
    before = builder.tensor
    builder.quant(0.3, 3)
    first = builder.tensor
    builder.tensor = before
    builder.quant(0.3 * 1.00001, 3)
    builder.node("Add", first)


REFUSED: dict[str, tuple[Build, str]] = {
    "a float bias": (float_bias, "float activations reach it: .* a bias of .* is no multiple of its step"),
    "no quantiser behind a function": (no_quantiser_behind, r"node 'culprit' \(Tanh\) needs a quantiser behind it"),
    "sums of two grids": (
        pairs_without_a_quantiser,
        r"^node 'Add_5' \(Add\): it joins multiples of .* put a quantiser behind",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_integer_program(case: str) -> None:
    build, reason = REFUSED[case]
    with pytest.raises(ModelError, match=reason):
        lower(built(build).model(), "network")


def test_a_table_that_would_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activation, "MOST_TABULATED", 1000)
    with pytest.raises(ModelError, match=r"\(Quant\): up to here the chain needs a table of [\d,]+ entries"):
        lower(built(gelu).model(), "network")
