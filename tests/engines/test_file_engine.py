"""The file engine: our engines against qonnx's execution of the user's own file, under faults of every kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import settings
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.infer_shapes import InferShapes

from fat_fpga.crosscheck import KINDS, crosscheck, sample_faults
from fat_fpga.crosscheck.table import crosscheck_text
from fat_fpga.engines import get
from fat_fpga.engines.file_engine import FileEngine
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault, fault_space
from fat_fpga.faults.fault import FLIP, STUCK_BIT
from fat_fpga.network import Network, write_qonnx
from tests.designs.finn_form import finn_form
from tests.designs.finn_graph import random_finn_graph
from tests.designs.float_graph import GraphBuilder, random_float_graph
from tests.designs.random_network import random_images, random_network

IMAGES = 3
FAULTS = 21 if settings().max_examples < 1000 else 63  # of a file
FILES = 27  # of each form

FORMS = ("float", "finn", "integer")


def random_file(form: str, seed: int, path: Path) -> None:
    """Write a random file that takes so many images at once: as Brevitas exports it, the same behind FINN's conversion
    of quantisers, or integers with thresholds anywhere."""
    rng = np.random.default_rng(seed)

    def choose(options):  # type: ignore[no-untyped-def]
        return options[int(rng.integers(len(options)))]

    if form == "integer":
        model = random_finn_graph(choose, rng, IMAGES)
    else:
        model = random_float_graph(choose, rng, images=IMAGES).model
        model = finn_form(model) if form == "finn" else model
    onnx.save(model, path)


@pytest.mark.parametrize("part", range(3))
@pytest.mark.parametrize("form", FORMS)
def test_every_stream_under_random_faults(form: str, part: int, tmp_path: Path) -> None:
    """Streams and class scores, in the reference and in the native engine."""
    pairs = changed = 0
    for seed in range(part, FILES, 3):
        random_file(form, seed, tmp_path / "file.onnx")
        judge = FileEngine(tmp_path / "file.onnx")
        network = judge.network
        images = random_images(network, IMAGES, seed)
        file = judge.open(network)
        sessions = {name: get(name).open(network) for name in ("reference", "native")}
        golden = file.trace(images)
        for fault in sample_faults(network, KINDS, FAULTS, IMAGES, seed):
            right = file.trace(images, fault)
            for name, session in sessions.items():
                found = session.trace(images, fault)
                assert right.keys() >= found.keys()
                for place, stream in found.items():
                    assert np.array_equal(stream, right[place]), f"{name}, seed {seed}: {fault}, {place}"
            changed += any(not np.array_equal(right[place], golden[place]) for place in right)
            pairs += 1
    assert pairs >= 8 * FAULTS
    assert changed >= pairs // 2


def test_predictions_and_crosscheck(tmp_path: Path) -> None:
    for form in FORMS:
        random_file(form, 3, tmp_path / "file.onnx")
        judge = FileEngine(tmp_path / "file.onnx")
        images = random_images(judge.network, 4)  # no multiple of what the file takes at once
        faults = sample_faults(judge.network, KINDS, 27, len(images))
        check = crosscheck(judge.network, images, faults, {"native": get("native"), "file": judge})
        assert check.equal, crosscheck_text(check)
        assert check.pairs[0].faults == len(faults)
        assert not check.refusals


def test_it_sees_what_lowering_gets_wrong(tmp_path: Path) -> None:
    """On a network whose thresholds are right for fault-free sums only, it differs, and without a fault it does not."""
    found: list[AnyFault] = []
    for seed in range(12):
        random_file("integer", seed, tmp_path / "file.onnx")
        judge = FileEngine(tmp_path / "file.onnx")
        pulled, images = judge.network.canonical, random_images(judge.network, IMAGES, seed)
        last = judge.network.units[-1].name
        assert np.array_equal(
            judge.open(judge.network).trace(images)[last], get("reference").open(pulled).trace(images)[last]
        )
        for fault in sample_faults(judge.network, ["weight", "accumulator"], 20, IMAGES, seed):
            right = judge.open(judge.network).trace(images, fault)[last]
            if not np.array_equal(get("reference").open(pulled).trace(images, fault)[last], right):
                found.append(fault)
    assert len(found) >= 3


def test_another_network_than_the_files_is_refused(tmp_path: Path) -> None:
    write_qonnx(random_network(1), tmp_path / "one.onnx")
    other: Network = random_network(2)
    judge = get(f"file:{tmp_path / 'one.onnx'}")
    with pytest.raises(EngineError, match=r"the file engine executes .*one.onnx, and random is another network"):
        judge.open(other).trace(random_images(other, 1))
    with pytest.raises(EngineError, match="needs the network's file: file:PATH"):
        get("file")


@pytest.mark.parametrize(("bits", "reason"), [(24, None), (25, None), (26, "do not fit in float32")])
def test_bits_of_wide_accumulators(bits: int, reason: str | None, tmp_path: Path) -> None:
    """Every bit that float32, which files compute in, can tell."""
    builder = GraphBuilder([2, 2, 1, 1], "UINT8")
    builder.node("Flatten", axis=1)
    builder.node("MatMul", np.array([[1, -1, 2], [0, 1, -3]]))
    builder.datatypes[builder.tensor] = f"INT{bits}"
    builder.node("MultiThreshold", np.array([[-9, 100], [0, 1], [-5, 90]]), out_dtype="UINT2")
    builder.node("MatMul", np.array([[1, 2], [-1, 1], [0, 1]]))
    onnx.save(builder.model(), tmp_path / "file.onnx")
    judge = FileEngine(tmp_path / "file.onnx")
    faults = list(fault_space(judge.network, "accumulator", layers=["fc0"], effects=(FLIP, *STUCK_BIT)))
    assert len(faults) == 3 * 3 * bits
    check = crosscheck(judge.network, random_images(judge.network, 2), faults, {"native": get("native"), "file": judge})
    assert check.equal, crosscheck_text(check)
    assert {refusal.reason.split(": ")[1] for refusal in check.refusals} == (
        set() if reason is None else {"its accumulators do not fit in float32, which the file computes in"}
    )


def open_batch(model: onnx.ModelProto) -> None:
    """Leave open how many images it takes, at its input, its output and between."""
    shaped = ModelWrapper(model).transform(InferShapes()).model
    made = {name for node in shaped.graph.node for name in node.output}
    between = [value for value in shaped.graph.value_info if value.name in made]
    for value in (*shaped.graph.input, *between, *shaped.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    model.CopyFrom(shaped)


def constants_as_inputs(model: onnx.ModelProto) -> None:
    """List every constant as an input, in front of the image, as exporters of older versions do."""
    (image,) = model.graph.input
    del model.graph.input[:]
    for tensor in model.graph.initializer:
        model.graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    model.graph.input.append(image)


@pytest.mark.parametrize("change", [open_batch, constants_as_inputs])
@pytest.mark.parametrize("form", FORMS)
def test_how_exporters_declare_inputs(form: str, change: Callable[[onnx.ModelProto], None], tmp_path: Path) -> None:
    """Streams equal those of the same file with the image alone declared, for so many at once."""
    random_file(form, 5, tmp_path / "file.onnx")
    plain = FileEngine(tmp_path / "file.onnx")
    model = onnx.load(tmp_path / "file.onnx")
    change(model)
    onnx.save(model, tmp_path / "declared.onnx")
    judge, images = FileEngine(tmp_path / "declared.onnx"), random_images(plain.network, 4)
    for fault in (None, *sample_faults(plain.network, KINDS, 18, len(images))):
        right, found = plain.open(plain.network).trace(images, fault), judge.open(judge.network).trace(images, fault)
        assert right.keys() == found.keys()
        assert all(np.array_equal(found[place], right[place]) for place in right), str(fault)


def pool_first(path: Path) -> None:
    """A file whose max-pool is in front of its quantiser."""
    rng = np.random.default_rng(0)
    builder = GraphBuilder([2, 2, 6, 6], "UINT8")
    builder.node("Conv", rng.integers(-2, 2, (4, 2, 3, 3)), kernel_shape=[3, 3])
    builder.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    builder.node("Mul", 1 / 64)
    builder.quant(1.0, 2)
    builder.node("Flatten", axis=1)
    builder.node("MatMul", rng.integers(-2, 2, (16, 3)))
    onnx.save(builder.model(), path)


def test_a_pool_in_front_of_the_quantiser(tmp_path: Path) -> None:
    pool_first(tmp_path / "file.onnx")
    judge = FileEngine(tmp_path / "file.onnx")
    network = judge.network
    assert [layer.name for layer in network.layers] == ["conv0", "conv0.pool", "fc1"]
    images = random_images(network, 4)
    faults = sample_faults(network, KINDS, 180, 4)
    check = crosscheck(network, images, faults, {"native": get("native"), "file": judge})
    assert check.equal, crosscheck_text(check)
    assert check.pairs[0].faults >= 110
    assert all(
        "max-pool in front of its quantiser" in refusal.reason for refusal in check.refusals if refusal.faults > 1
    )
    assert "channel" not in {refusal.kind for refusal in check.refusals}
