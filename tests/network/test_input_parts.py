"""Parts of the input in front of the first product: what the file leaves out does not enter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from fat_fpga.crosscheck import KINDS, crosscheck, sample_faults
from fat_fpga.crosscheck.table import crosscheck_text
from fat_fpga.engines import get
from fat_fpga.engines.file_engine import FileEngine
from fat_fpga.engines.reference import execute
from fat_fpga.errors import DataError, ModelError
from fat_fpga.network import load_network, write_qonnx
from fat_fpga.network.layers import Select, Upsample
from fat_fpga.network.lowering.walk import lower
from fat_fpga.network.network_file import read_network, write_network
from tests.designs.against_file import check_file
from tests.designs.float_graph import GraphBuilder
from tests.designs.random_network import random_images

ASYMMETRIC = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
INPUT = [1, 3, 5, 6]


def ints(builder: GraphBuilder, *values: int) -> str:
    return builder.constant(values, np.int64)


def built(parts: Any, shape: tuple[int, ...], where: str = "behind", channels: int = 3) -> onnx.ModelProto:
    """An image, which a BatchNormalization and a quantiser follow, with ``parts`` of it taken behind these, in front of
    them, or between; and a product of what is left, [C, H, W] of ``shape``."""
    builder, rng = GraphBuilder(INPUT), np.random.default_rng(0)

    def norm(count: int) -> None:
        signs = rng.choice([-1.0, 1.0, 2.0], count)
        builder.node("BatchNormalization", signs, rng.normal(0, 0.1, count), np.full(count, 0.3), np.ones(count))

    if where == "front":
        parts(builder)
    norm(shape[0] if where == "front" else channels)
    if where == "between":
        parts(builder)
        norm(shape[0])
    builder.quant(2**-4, 5)
    if where == "behind":
        parts(builder)
    outputs = 4
    builder.node("Conv", builder.quant(0.25, 3, first=rng.normal(0, 0.5, (outputs, shape[0], 1, 1))))
    builder.quant(0.125, 4)
    builder.node("Flatten", axis=1)
    size = outputs * shape[1] * shape[2]
    builder.node("MatMul", builder.quant(0.25, 3, first=rng.normal(0, 0.5, (size, 3))))
    return builder.model()


def rows(builder: GraphBuilder) -> None:
    builder.node("Slice", ints(builder, 1, 0), ints(builder, 4, 6), ints(builder, 2, 3), ints(builder, 1, 2))


def one_channel(builder: GraphBuilder) -> None:
    builder.node("Gather", ints(builder, 2, 0), axis=1)


def twice(builder: GraphBuilder) -> None:
    one_channel(builder)
    rows(builder)


@pytest.mark.parametrize("where", ["front", "between", "behind"])
@pytest.mark.parametrize(("parts", "shape"), [(rows, (3, 3, 3)), (one_channel, (2, 5, 6)), (twice, (2, 3, 3))])
def test_what_is_left_out_does_not_enter(parts: Any, shape: tuple[int, ...], where: str) -> None:
    network = check_file(built(parts, shape, where))
    assert (network.input.shape, network.input.row_shape) == (shape, tuple(INPUT[1:]))
    assert not any(isinstance(layer, Select) for layer in network.layers)


@pytest.mark.parametrize("where", ["front", "behind"])
def test_data_as_the_file_takes_them(where: str) -> None:
    """Whole images give the classes that qonnx gives, whatever is in the places that are left out."""
    model = built(twice, (2, 3, 3), where)
    network, wrapped = lower(model, "n"), ModelWrapper(model).transform(InferShapes())
    images = np.random.default_rng(0).integers(0, 256, (6, *INPUT[1:])).astype(np.uint8)
    scores = execute(network, network.input.taken(images))[network.scores][:, :, 0, 0]
    for image, ours in zip(images, scores, strict=True):
        found = execute_onnx(wrapped, {"image": image[None].astype(np.float32) / np.float32(255)})
        assert found[model.graph.output[0].name].argmax() == ours.argmax()
    assert len(np.unique(scores, axis=0)) > 1
    with pytest.raises(DataError, match=r"\[N, 3, 5, 6\], got"):
        network.input.taken(images[:, :, :4])


def test_real_features() -> None:
    """Some features of all, quantised behind or in front, as in a tabular model."""
    for quantised in (False, True):
        builder, rng = GraphBuilder([1, 6]), np.random.default_rng(0)
        if quantised:
            builder.quant(0.25, 5)
        builder.node("Gather", ints(builder, 4, 1, 3), axis=1)
        if not quantised:
            builder.node("Mul", np.array([[1.0, -2.0, 0.5]]))
            builder.quant(0.25, 5)
        for inputs, outputs in ((3, 5), (5, 3)):
            builder.node("MatMul", builder.quant(0.25, 3, first=rng.normal(0, 0.5, (inputs, outputs))))
            if inputs == 3:
                builder.quant(0.5, 4)
        network = check_file(builder.model(), pixels="none")
        assert network.input.row_shape == (6,)
        assert network.input.shape == (3, 1, 1)


def test_integers() -> None:
    builder, rng = GraphBuilder([1, 2, 4, 4], "INT4"), np.random.default_rng(0)
    builder.node("Slice", ints(builder, 1), ints(builder, 4), ints(builder, 3))
    builder.node("Conv", rng.integers(-3, 4, (4, 2, 1, 1)))
    builder.quant(1.0, 4)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", rng.integers(-3, 4, (48, 3)))
    assert check_file(builder.model()).input.shape == (2, 4, 3)


def test_normalised_channels() -> None:
    model = built(one_channel, (2, 5, 6))
    network = check_file(model, normalise=((0.1, 0.2, 0.3), (0.5, 1.0, 0.25)))
    assert network.input.shape == (2, 5, 6)


def doubled(builder: GraphBuilder) -> None:
    builder.node("Resize", builder.constant([]), [1, 1, 2, 2], mode="nearest", **ASYMMETRIC)


def again(builder: GraphBuilder) -> None:
    builder.node("Gather", ints(builder, 1, 1, 0), axis=1)


def two_parts(builder: GraphBuilder) -> None:
    """Both parts are read: one quantised input, which each of them is a part of."""
    sizes = ints(builder, 1, 2)
    builder.nodes.append(onnx.helper.make_node("Split", [builder.tensor, sizes], ["one", "two"], axis=1, name="Split"))
    rng = np.random.default_rng(1)
    ends = []
    for name, inputs in (("one", 1), ("two", 2)):
        weights = builder.quant(0.25, 3, first=rng.normal(0, 0.5, (2, inputs, 1, 1)))
        made = builder.node("Conv", weights, first=name)
        ends.append(builder.quant(0.125, 4, first=made))
    builder.tensor = ends[0]
    builder.node("Concat", ends[1], axis=1)


@pytest.mark.parametrize(
    ("parts", "shape", "kind"),
    [(doubled, (3, 10, 12), Upsample), (again, (3, 5, 6), Select), (two_parts, (4, 5, 6), Select)],
)
def test_what_is_repeated_or_shared_is_a_layer(tmp_path: Path, parts: Any, shape: tuple[int, ...], kind: type) -> None:
    path = tmp_path / "file.onnx"
    onnx.save(built(parts, shape), path)
    network = check_file(onnx.load(path))
    assert isinstance(network.layers[0], kind)
    assert network.input.shape == tuple(INPUT[1:])
    engine = FileEngine(path)
    images, faults = random_images(network, 2), sample_faults(network, KINDS, 6, 2, 0)
    engines = {"file": engine, **{name: get(name) for name in ("reference", "torch", "qonnx")}}
    check = crosscheck(engine.network, images, faults, engines)
    assert check.equal, crosscheck_text(check)
    with pytest.warns(UserWarning, match="the torch engine executes it"):
        session = get("native").open(network)
    labels = np.zeros(2, np.int64)
    single = list(faults)[:20]
    wanted = get("reference").open(network).run(images, labels, single)
    assert np.array_equal(session.run(images, labels, single).correct, wanted.correct)


def test_faults_in_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "file.onnx"
    onnx.save(built(twice, (2, 3, 3), "between"), path)
    engine = FileEngine(path)
    images, faults = random_images(engine.network, 2), sample_faults(engine.network, KINDS, 10, 2, 0)
    engines = {"file": engine, "reference": get("reference"), "native": get("native")}
    check = crosscheck(engine.network, images, faults, engines)
    assert check.equal, crosscheck_text(check)


def test_written_and_read_again(tmp_path: Path) -> None:
    for number, (parts, shape) in enumerate([(twice, (2, 3, 3)), (doubled, (3, 10, 12)), (two_parts, (4, 5, 6))]):
        network = lower(built(parts, shape), "network")
        write_qonnx(network, tmp_path / f"{number}.onnx")
        write_network(network, tmp_path / f"{number}.npz")
        assert load_network(tmp_path / f"{number}.onnx").fingerprint == network.fingerprint
        stored = read_network(tmp_path / f"{number}.npz")
        assert stored.fingerprint == network.fingerprint
        assert stored.input.row_shape == network.input.row_shape


@pytest.mark.parametrize(("parts", "shape"), [(doubled, (3, 10, 12)), (again, (3, 5, 6))])
def test_repeated_pixels_in_front_of_the_quantiser(tmp_path: Path, parts: Any, shape: tuple[int, ...]) -> None:
    network = check_file(built(parts, shape, "front"))
    write_qonnx(network, tmp_path / "network.onnx")
    assert load_network(tmp_path / "network.onnx").fingerprint == network.fingerprint
    images, faults = random_images(network, 2), sample_faults(network, KINDS, 6, 2, 0)
    check = crosscheck(network, images, faults, {name: get(name) for name in ("reference", "torch", "qonnx")})
    assert check.equal, crosscheck_text(check)


def largest(builder: GraphBuilder) -> None:
    builder.node("MaxPool", kernel_shape=[2, 2], strides=[1, 2])


def largest_padded(builder: GraphBuilder) -> None:
    builder.node("MaxPool", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])


def average(builder: GraphBuilder) -> None:
    builder.node("AveragePool", kernel_shape=[2, 2])


@pytest.mark.parametrize("where", ["front", "behind"])
@pytest.mark.parametrize(
    ("pool", "shape"), [(largest, (3, 4, 3)), (largest_padded, (3, 3, 6)), (average, (3, 4, 5))]
)  # fmt: skip
def test_pools_of_the_image(tmp_path: Path, pool: Any, shape: tuple[int, ...], where: str) -> None:
    """Behind the quantiser or in front of it: a maximum is the same then, and the quantiser is the input's."""
    network = check_file(built(pool, shape, where))
    words = [layer.name for layer in network.layers][:-2]
    thresholds = ["input.thresholding"] if pool is average and where == "front" else []
    assert words == [f"input.{'sum' if pool is average else 'pool'}", *thresholds]
    images, faults = random_images(network, 3), sample_faults(network, KINDS, 20, 3, 0)
    names = ("reference", "torch") if pool is largest_padded else ("reference", "torch", "native")
    check = crosscheck(network, images, faults, {name: get(name) for name in names})
    assert check.equal, crosscheck_text(check)
    write_qonnx(network, tmp_path / "network.onnx")
    assert load_network(tmp_path / "network.onnx").fingerprint == network.fingerprint


def test_two_quantisers_of_one_image() -> None:
    builder, rng = GraphBuilder(INPUT), np.random.default_rng(0)
    ends = []
    for scale in (0.125, 0.0625):
        first = builder.quant(scale, 3, first="image")
        weights = builder.quant(0.25, 3, first=rng.normal(0, 0.5, (2, 3, 1, 1)))
        ends.append(builder.quant(0.125, 4, first=builder.node("Conv", weights, first=first)))
    builder.tensor = ends[0]
    builder.node("Concat", ends[1], axis=1)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(0.25, 3, first=rng.normal(0, 0.5, (120, 3))))
    network = check_file(builder.model())
    assert [layer.name for layer in network.layers][:2] == ["input.thresholding", "conv0"]


def test_what_is_refused() -> None:
    """Repeated values must be integers first."""
    for parts, shape in ((doubled, (3, 10, 12)), (again, (3, 5, 6))):
        with pytest.raises(ModelError, match="float activations reach it: it needs a quantiser in front"):
            lower(built(parts, shape, "between"), "network")
