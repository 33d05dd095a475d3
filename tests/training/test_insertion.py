"""Injectors in networks of our family and of a user's own: where they stand, and that they leave no trace."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import brevitas.nn as qnn
import pytest
import torch
from torch import nn

from fat_fpga import models
from fat_fpga.errors import ArgumentError, ModelError, TrainingError
from fat_fpga.models.export import export_qonnx
from fat_fpga.training import insert_injectors, remove_injectors
from fat_fpga.training.injection import injectors_in
from tests.training.nets import IMAGES, OwnForward, images, one_layer

CNV_PLACES = "conv0_act conv1_pool conv2_act conv3_pool conv4_act conv5_act fc6_act fc7_act"


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())


def test_places_of_the_family() -> None:
    names = [injector.name for injector in insert_injectors(models.build("cnv-w1a2"), "pixel", 5)]
    assert names == CNV_PLACES.split()
    names = [injector.name for injector in insert_injectors(models.build("tfc-w1a1"))]
    assert names == ["fc0_act", "fc1_act", "fc2_act"]


@pytest.mark.parametrize("quant_tensors", [False, True])
def test_in_a_network_with_its_own_forward(quant_tensors: bool) -> None:
    torch.manual_seed(0)
    model = OwnForward(quant_tensors).train()
    first, second = insert_injectors(model, "pixel", 100)
    assert (first.name, second.name) == ("pool", "block.relu")
    seen: dict[str, Any] = {}
    for name in ("act", "pool", "block.relu"):
        model.get_submodule(name).register_forward_hook(lambda m, a, out, name=name: seen.__setitem__(name, out))
    model(images())
    values = {name: out.value if quant_tensors else out for name, out in seen.items()}
    for name, stuck in (("act", False), ("pool", True), ("block.relu", True)):
        same = torch.equal(values[name], values[name][:, :1].expand_as(values[name]))
        assert same is stuck, name


def test_in_front_of_the_pool_where_asked() -> None:
    model = OwnForward().train()
    assert [injector.name for injector in insert_injectors(model, behind_pools=False)] == ["act", "block.relu"]


class Skips(nn.Module):
    """What the activation gives does not go to the pool registered next to it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act, self.pool = nn.Conv2d(1, 1, 3), qnn.QuantReLU(bit_width=2), nn.MaxPool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled: torch.Tensor = self.pool(self.act(self.conv(x)) + 1)
        return pooled


def test_a_pool_that_is_not_behind_is_told() -> None:
    model = Skips().train()
    insert_injectors(model, "channel", 5)
    model(images())
    with pytest.raises(TrainingError, match=r"pool was taken for the pool behind act, .* behind_pools=False"):
        model(images())


def test_one_pool_for_two_activations() -> None:
    conv, pool = nn.Conv2d(1, 1, 3), nn.MaxPool2d(2)
    first, second = qnn.QuantReLU(bit_width=2), qnn.QuantReLU(bit_width=3)
    model = nn.Sequential(conv, first, nn.Identity(), second, pool, nn.Identity()).train()
    before, behind = insert_injectors(model, "element", 100)
    assert (before.name, behind.name) == ("1", "4")
    torch.manual_seed(0)
    activations = first(conv(images()))
    assert torch.equal(pool(activations), nn.functional.max_pool2d(activations, 2))  # not second's output: untouched
    assert len(pool(second(images())).unique()) == 8


def test_a_pool_that_gives_indices_is_none_to_stand_behind() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 3), qnn.QuantReLU(bit_width=2), nn.MaxPool2d(2, return_indices=True)).train()
    (injector,) = insert_injectors(model, "channel", 50)
    assert injector.name == "1"
    model(images())


def test_transparent_in_evaluation_disabled_or_without_p() -> None:
    torch.manual_seed(0)
    model = one_layer(2)
    x = torch.randn(9, 8)
    expected = model(x)
    (injector,) = insert_injectors(model, "channel", 50)
    state = torch.get_rng_state()
    assert torch.equal(model.eval()(x), expected)
    injector.enabled = False
    assert torch.equal(model.train()(x), expected)
    injector.enabled, injector.p = True, 0
    assert torch.equal(model(x), expected)
    assert torch.equal(torch.get_rng_state(), state)
    injector.p = 50
    assert not torch.equal(model(x), expected)


def test_the_same_generator_state_gives_the_same_errors() -> None:
    model = one_layer(1)
    insert_injectors(model, "element", 50)
    outs = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        outs.append(model(torch.ones(9, 8)))
    assert torch.equal(outs[0], outs[1])
    assert not torch.equal(outs[0], outs[2])


def test_nothing_in_the_state_dict() -> None:
    plain, injected = OwnForward(), OwnForward()
    insert_injectors(injected, "channel", 5)
    assert list(plain.state_dict()) == list(injected.state_dict())
    assert [name for name, _ in plain.named_modules()] == [name for name, _ in injected.named_modules()]
    assert len(list(plain.parameters())) == len(list(injected.parameters()))
    ours, ours_injected = models.build("tfc-w2a2"), models.build("tfc-w2a2")
    insert_injectors(ours_injected, "channel", 5)
    ours.load_state_dict(ours_injected.state_dict())
    ours_injected.load_state_dict(ours.state_dict())


@pytest.mark.parametrize("make", [OwnForward, lambda: models.build("tfc-w2a2"), lambda: models.build("cnv-w1a1")])
def test_removed_without_a_trace(make: object) -> None:
    model = make()  # type: ignore[operator]
    before = hooks(model)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    inserted = insert_injectors(model, "element", 30)
    assert injectors_in(model) == inserted
    assert hooks(model) > before
    remove_injectors(model)
    assert (hooks(model), injectors_in(model)) == (before, [])
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    remove_injectors(model)


@pytest.mark.parametrize(("name", "shape"), [("cnv-w1a1", (1, 3, 32, 32)), ("tfc-w2a2", (1, 1, 28, 28)), ("", IMAGES)])
def test_exported_to_the_same_bytes(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    model = models.build(name) if name else OwnForward()
    model.train()
    model(torch.rand(4, *shape[1:]))
    export_qonnx(model, tmp_path / "without.onnx", shape)
    insert_injectors(model, "channel", 50)
    export_qonnx(model, tmp_path / "with.onnx", shape)
    assert (tmp_path / "with.onnx").read_bytes() == (tmp_path / "without.onnx").read_bytes()


def test_a_copy_has_injectors_of_its_own() -> None:
    model = OwnForward().train()
    inserted = insert_injectors(model, "channel", 50)
    model(images())
    other = copy.deepcopy(model)
    found = injectors_in(other)
    assert len(found) == 2
    assert not set(found) & set(inserted)
    found[0].p = 3
    other(images())
    remove_injectors(other)
    assert hooks(other) == 0
    assert inserted[0].p == 50
    assert injectors_in(model) == inserted


def test_refusals() -> None:
    with pytest.raises(ModelError, match="no quantised activations"):
        insert_injectors(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), "channel", 5)
    with pytest.raises(ModelError, match="no quantised activations"):
        insert_injectors(nn.Sequential(qnn.QuantIdentity(), qnn.QuantLinear(3, 3, bias=False)), "channel", 5)
    model = one_layer(1)
    with pytest.raises(ArgumentError, match="p: expected a number, got the str '5'"):
        insert_injectors(model, "channel", "5")  # type: ignore[arg-type]
    for p in (-0.1, 100.1, float("nan"), True):
        with pytest.raises(TrainingError, match="p must be a probability in percent, from 0 to 100, got"):
            insert_injectors(model, "channel", p)
    with pytest.raises(TrainingError, match="unknown error model 'row'; known error models: channel, pixel, element"):
        insert_injectors(model, "row", 5)
    assert hooks(model) == 0
    (injector,) = insert_injectors(model, "channel", 5)
    with pytest.raises(TrainingError, match="has injectors already"):
        insert_injectors(model, "channel", 5)
    with pytest.raises(TrainingError, match="got 101"):
        injector.p = 101
    assert injector.p == 5
