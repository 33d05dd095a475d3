"""DoReFa-Net: its shapes, its levels, and on a small sibling that file, integer network and engines agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.cleanup import cleanup

from fat_fpga import models
from fat_fpga.engines.native_engine import NativeEngine
from fat_fpga.engines.reference import ReferenceEngine, execute
from fat_fpga.faults import fault_space
from fat_fpga.models.builder import latent_weights
from fat_fpga.network import Levels, Network, load_network, write_qonnx
from fat_fpga.training import FaultAware, insert_injectors
from tests.designs.finn_form import finn_form
from tests.designs.random_network import random_images
from tests.designs.small_dorefa import SPEC, export_small_dorefa, small_dorefa
from tests.network.test_lowering import qonnx_tensors

LEVELS = [0.0, 1 / 3, 2 / 3, 1.0]
PLACES = ["conv0_pool", "conv1_pool", "conv2_act", "conv3_act", "conv4_pool", "fc5_act", "fc6_act"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dorefa") / "small.onnx"
    export_small_dorefa(path)
    return path


@pytest.fixture(scope="module")
def network(file: Path) -> Network:
    return load_network(file)


def test_the_full_size_is_alexnet() -> None:
    with torch.device("meta"):  # shapes without 62 million numbers
        model = models.build("dorefa-w1a2", 1000)
    shapes = [tuple(weight.shape) for weight in latent_weights(model)]
    convolutions = [(96, 3, 11, 11), (256, 96, 5, 5), (384, 256, 3, 3), (384, 384, 3, 3), (256, 384, 3, 3)]
    assert shapes == [*convolutions, (4096, 256 * 6 * 6), (4096, 4096), (1000, 4096)]
    names = [name for name, _ in model.named_children()]
    assert [name for name in names if name.endswith("_pool")] == ["conv0_pool", "conv1_pool", "conv4_pool"]
    assert all(names[names.index(name) - 1] == name.replace("pool", "act") for name in names if name.endswith("_pool"))


def test_weights_and_activations_have_their_levels() -> None:
    model, seen = small_dorefa(), {}
    for name, module in model.named_children():
        module.register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: out}))
    model(torch.rand(8, *SPEC.topology.input_shape))
    child: Any
    for name, child in model.named_children():
        if name.endswith("_act"):
            assert torch.unique(seen[name]).tolist() == pytest.approx(LEVELS, abs=1e-7), name
        if hasattr(child, "quant_weight"):
            values = child.quant_weight().value
            if name in ("conv0", "fc7"):
                integers = values * 128
                assert torch.equal(integers, integers.round())
                assert integers.abs().max() == 127
            else:
                assert torch.unique(values).tolist() == [-1, 1], name


def test_the_integer_network(network: Network) -> None:
    names = ["conv0", "conv0.pool", "conv1", "conv1.pool", "conv2", "conv3", "conv4", "conv4.pool", "fc5", "fc6", "fc7"]
    assert [layer.name for layer in network.layers] == names
    assert {unit.levels for unit in network.units[:-1]} == {Levels(0, 1, 4)}
    assert [unit.weight_type for unit in network.units] == ["INT8", *["BIPOLAR"] * 6, "INT8"]
    assert (network.units[0].stride, network.units[0].padding) == ((4, 4), (2, 2, 2, 2))
    assert (network.input.min, network.input.max) == (-128, 127)


def test_the_forms_of_a_file_are_one_network(file: Path, network: Network, tmp_path: Path) -> None:
    cleanup(str(file), out_file=str(tmp_path / "clean.onnx"))
    onnx.save(finn_form(onnx.load(file)), tmp_path / "finn.onnx")
    write_qonnx(network, tmp_path / "written.onnx")
    for form in ("clean", "finn", "written"):
        assert load_network(tmp_path / f"{form}.onnx").fingerprint == network.fingerprint, form


def test_activations_and_scores_equal_qonnx(file: Path, network: Network, tmp_path: Path) -> None:
    cleanup(str(file), out_file=str(tmp_path / "clean.onnx"))
    model = ModelWrapper(str(tmp_path / "clean.onnx"))
    weights = {tensor.name for tensor in model.graph.initializer}
    quantisers = [n for n in model.graph.node if n.op_type == "Quant" and n.input[0] not in weights]
    last = [n for n in model.graph.node if n.op_type == "MatMul"][-1]
    images = random_images(network, 6)
    outputs = execute(network, images)
    units = [outputs[unit.name] for unit in network.units]
    assert len(quantisers) == len(units)  # one for the images, none for the scores
    with torch.no_grad():
        trained = small_dorefa()(torch.from_numpy(images) / 255).numpy()
    for n, image in enumerate(images):
        tensors = qonnx_tensors(model, image)
        for node, integers in zip(quantisers[1:], units, strict=False):
            assert np.array_equal(np.rint(3 * tensors[node.output[0]]).ravel(), integers[n].ravel()), node.name
        scores = units[-1][n].ravel()
        found = 3 * 128 * tensors[last.output[0]].ravel()  # thirds make float32 sums round
        sign = np.sign(found @ scores)  # a decreasing tail turns them round
        assert np.array_equal(np.rint(found * sign), scores)
        result = tensors[model.graph.output[0].name]
        assert result.argmax() == scores.argmax()
        np.testing.assert_allclose(result[0], trained[n], rtol=1e-4, atol=1e-4)


def test_native_equals_reference_on_sampled_faults(network: Network) -> None:
    rng = np.random.default_rng(0)
    images = random_images(network, 6)
    labels = rng.integers(0, network.classes, len(images))
    space = fault_space(network)
    faults = [space[i] for i in np.sort(rng.permutation(len(space))[:60])]
    assert {fault.layer for fault in faults} == {unit.name for unit in network.units[:-1]}
    expected = ReferenceEngine().open(network).run(images, labels, faults, predictions=True)
    got = NativeEngine(1).open(network).run(images, labels, faults, predictions=True)
    np.testing.assert_array_equal(got.golden, expected.golden)
    np.testing.assert_array_equal(got.predictions, expected.predictions)
    np.testing.assert_array_equal(got.changed, expected.changed)
    assert got.changed.sum() > 0


def test_errors_are_injected_behind_pools_with_the_levels_of_the_paper() -> None:
    model = small_dorefa().train()
    injectors = insert_injectors(model, "channel", 100)
    assert [injector.name for injector in injectors] == PLACES
    seen: dict[str, torch.Tensor] = {}
    for name in PLACES:
        model.get_submodule(name).register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: out}))
    model(torch.rand(8, *SPEC.topology.input_shape))
    for name in PLACES:
        assert torch.unique(seen[name]).tolist() == pytest.approx(LEVELS, abs=1e-7), name
        values = seen[name].flatten(2) if name.startswith("conv") else seen[name][..., None]
        assert torch.equal(values, values[:, :, :1].expand_as(values)), name


def test_it_trains_fault_aware() -> None:
    torch.manual_seed(0)
    model = small_dorefa().train()
    before = [weight.detach().clone() for weight in latent_weights(model)]
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    with FaultAware(model, method="fat1", p=5, seed=0) as aware:
        aware.start_epoch(0)
        scores = model(torch.rand(8, *SPEC.topology.input_shape))
        torch.nn.functional.cross_entropy(scores, torch.arange(8) % 5).backward()
        optimiser.step()
    assert all(not torch.equal(old, new) for old, new in zip(before, latent_weights(model), strict=True))
