"""The qonnx engine: what stands in the faulty graph, how it is executed, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op.general.multithreshold import multithreshold

from fat_fpga.engines import get
from fat_fpga.engines.faulty_graph import FaultyGraph, write_faulty_qonnx
from fat_fpga.engines.graph_editor import OPSET
from fat_fpga.engines.qonnx_engine import QonnxEngine
from fat_fpga.engines.reference import execute
from fat_fpga.errors import EngineError, FaultError
from fat_fpga.faults import MODELS, changes_of, parse_fault, places
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, Network
from tests.campaign.tiny import OF_OTHER_LAYERS
from tests.designs.random_faults import random_faults
from tests.designs.random_network import random_images, random_network

KINDS = (*(kind for kind in MODELS if kind not in OF_OTHER_LAYERS), "set")
"""Those that random chains have; the others are in `test_parameters`."""


def execution(model: onnx.ModelProto, images: Any) -> dict[str, Any]:
    values = {"global_in": images.astype(np.float32)}
    tensors: dict[str, Any] = execute_onnx(ModelWrapper(model), values, return_full_exec_context=True)
    return tensors


@pytest.mark.filterwarnings("error:The values of tensor")
@pytest.mark.parametrize("kind", KINDS)
def test_every_datatype_annotation_stays_true(kind: str) -> None:
    for seed in range(8):
        network = random_network(seed)
        images = random_images(network, 2, seed)
        for fault in random_faults(network, kind, 3, seed, 2):
            model = FaultyGraph(network, changes_of(network, [fault]), 2, 0).model
            tensors = execution(model, images)
            annotated = {a.tensor_name: a for a in model.graph.quantization_annotation}
            assert set(tensors) >= set(annotated)
            for name, annotation in annotated.items():
                datatype = DataType[annotation.quant_parameter_tensor_names[0].value]
                assert np.all(datatype.allowed(tensors[name])), (fault, name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_written_faulty_file_gives_what_the_fault_gives(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "faulty.onnx"
    for seed in (1, 4, 7):
        network = random_network(seed)
        images = random_images(network, 1, seed)
        for fault in random_faults(network, kind, 2, seed, 1):
            write_faulty_qonnx(network, fault, path)
            model = onnx.load(path)
            onnx.checker.check_model(model) if kind in ("weight", "threshold") else None
            scores = execute(network, images, [fault])[network.units[-1].name]
            assert np.array_equal(execution(model, images)["global_out"], scores[:, :, 0, 0])
    assert [file.name for file in tmp_path.iterdir()] == ["faulty.onnx"]


def test_a_transient_is_in_a_written_file_for_good(tmp_path: Path) -> None:
    network = random_network(1)
    image = random_images(network, 1)
    place = network.units[0].name
    for frame in (0, 5):
        write_faulty_qonnx(
            network, parse_fault(f"{place}/activation[0,0,0].bit[0] ^ 1 @ frame[{frame}]"), tmp_path / "a"
        )
        here = parse_fault(f"{place}/activation[0,0,0].bit[0] ^ 1 @ frame[0]")
        scores = execute(network, image, [here])[network.units[-1].name]
        assert np.array_equal(execution(onnx.load(tmp_path / "a"), image)["global_out"], scores[:, :, 0, 0])


def test_images_together_give_what_they_give_alone() -> None:
    for seed in range(10):
        network = random_network(seed)
        images = random_images(network, 3, seed)
        for fault in random_faults(network, "set", 2, seed, 1):  # its transients meet image 0
            together = QonnxEngine().open(network).trace(images, fault)
            for n in range(3):
                alone = FaultyGraph(network, changes_of(network, [fault]), 1, n)
                tensors = execution(alone.model, images[n : n + 1])
                for place, tensor in alone.tensors.items():
                    assert np.array_equal(tensors[tensor].ravel(), together[place][n].ravel()), place


def test_a_transient_meets_its_frame_in_a_later_block() -> None:
    network = random_network(1)
    images = np.repeat(random_images(network, 1), 40, axis=0)
    fault = parse_fault(f"{network.units[0].name}/activation[0,0,0].bit[0] ^ 1 @ frame[37]")
    found = QonnxEngine().open(network).trace(images, fault)
    for place, stream in execute(network, images, [fault]).items():
        assert np.array_equal(found[place], stream)
    changed = np.flatnonzero((found[network.units[0].name] != found[network.units[0].name][0]).any(axis=(1, 2, 3)))
    assert changed.tolist() == [37]


def test_multithreshold_counts_the_thresholds_met_in_any_order() -> None:
    values = np.arange(-5, 6, dtype=np.float32).reshape(1, 1, 11, 1)
    ascending = np.array([[-3, 0, 4]], np.float32)
    for order in ([2, 0, 1], [1, 2, 0]):
        assert np.array_equal(multithreshold(values, ascending[:, order]), multithreshold(values, ascending))


def test_the_opset_rises_only_where_bits_are_operated_on() -> None:
    network = random_network(1)
    first = network.units[0]
    assert first.levels is not None
    for text, opset in [
        (f"{first.name}/channel[0] = {first.levels.max}", 11),
        (f"{first.name}/weight[0,0,0,0].bit[0] ^ 1", 11),
        (f"{first.name}/accumulator[0].bit[1] ^ 1", OPSET),
    ]:
        model = FaultyGraph(network, changes_of(network, [parse_fault(text)])).model
        assert next(o.version for o in model.opset_import if not o.domain) == opset


def test_streams_are_named_by_place() -> None:
    network = random_network(11)
    assert list(QonnxEngine().open(network).trace(random_images(network, 1))) == list(places(network))


def tiny(weight: int, table: Any) -> Network:
    unit = MatrixVectorUnit("fc0", np.full((2, 1, 1, 1), weight, np.int32), None, None, weight_type="INT32")
    return Network("tiny", InputQuantiser((1, 1, 1), np.array([table], np.int32)), (unit,))


def test_what_a_graph_cannot_say_is_refused(tmp_path: Path) -> None:
    image, labels = np.zeros((1, 1, 1, 1), np.uint8), np.zeros(1, np.int64)
    for network, wanted in [
        (tiny(2**17, np.arange(256)), "fc0: its accumulators do not fit in float32"),
        (tiny(1, np.abs(np.arange(256) - 100)), "an input table that neither ascends nor descends"),
    ]:
        with pytest.raises(EngineError, match=wanted):
            get("qonnx").open(network).run(image, labels, [])
    with pytest.raises(FaultError, match="unknown place"):
        write_faulty_qonnx(tiny(1, np.arange(256)), parse_fault("fc9/channel[0] = 1"), tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_thresholds_beyond_reach_stay_beyond_it() -> None:
    """A faulty accumulator can pass what a fault-free one cannot; thresholds above that are met by neither."""
    thresholds = np.array([[300], [2**30]], np.int32)
    unit = MatrixVectorUnit("fc0", np.array([[1], [1]], np.int32)[:, :, None, None], thresholds, Levels(0, 1, 2))
    last = MatrixVectorUnit("fc1", np.ones((2, 2, 1, 1), np.int32), None, None)
    network = Network("tiny", InputQuantiser((1, 1, 1), np.arange(256, dtype=np.int32)[None]), (unit, last))
    images = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1)
    for text in ("fc0/accumulator[0].bit[7] ^ 1", "fc0/weight[0,0,0,0].bit[1] ^ 1", "fc0/threshold[0,0].bit[8] ^ 1"):
        fault = parse_fault(text)
        expected = execute(network, images, [fault])
        found = QonnxEngine().open(network).trace(images, fault)
        for place in expected:
            assert np.array_equal(found[place], expected[place]), (text, place)
