"""The erasure regulariser: gradients, rates, whole weights afterwards, resumed trainings."""

from __future__ import annotations

import tempfile
from pathlib import Path

import brevitas.nn as qnn
import pytest
import torch
from torch import Tensor, nn

from fat_fpga import models
from fat_fpga.errors import TrainingError
from fat_fpga.models.activation import QuantisedActivation
from fat_fpga.models.weights import READ, OwnLayer, QuantisedLinear, as_read, quantised_weight
from fat_fpga.training import FaultAware
from fat_fpga.training.checkpoint import read_checkpoint
from fat_fpga.training.erasure import Erasure, erased
from fat_fpga.training.methods import make_method
from fat_fpga.training.trainer import train
from tests.training.small import digits, recipe


def test_the_gradient_is_that_of_the_values() -> None:
    values = torch.linspace(-2, 2, 12, dtype=torch.float64).requires_grad_()

    def again(x: Tensor) -> Tensor:
        torch.manual_seed(3)
        return erased(x, 0.4)

    assert torch.autograd.gradcheck(again, (values,))


def test_the_rate_is_the_probability_and_the_rest_is_left() -> None:
    torch.manual_seed(0)
    values = torch.randn(200_000) + 10
    found = erased(values, 0.03)
    gone = found == 0
    assert abs(int(gone.sum()) - 6000) < 5 * (200_000 * 0.03 * 0.97) ** 0.5
    assert torch.equal(found[~gone], values[~gone])


def test_a_step_erases_weights_and_activations_and_leaves_the_parameters() -> None:
    model = models.build("lenet-fc-w75")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    names = [name for name, _ in model.named_parameters()]
    erasure = Erasure(0.5)
    erasure.on_train_start(model)
    images = torch.rand(4, 1, 28, 28)
    seen: list[Tensor] = []
    model.get_submodule("fc1").register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    model.train()
    model(images).sum().backward()
    gradient = model.get_parameter("fc0.weight").grad
    assert gradient is not None
    assert float(torch.eq(gradient, 0).float().mean()) > 0.45  # erased weights get none
    assert 0.6 < float((seen[0] == 0).float().mean()) < 0.95  # half by the ReLU, half of the rest, and dropout
    model.eval()
    first = model(images)
    assert torch.equal(first, model(images))
    erasure.on_train_end(model)
    assert torch.equal(first, model(images))
    assert [name for name, _ in model.named_parameters()] == names
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_an_error_in_a_pass_leaves_the_parameters() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.ReLU())
    erasure = Erasure(0.5)
    erasure.on_train_start(model)
    with pytest.raises(RuntimeError):
        model(torch.rand(3, 5))
    assert list(model.state_dict()) == ["1.weight", "1.bias"]


@pytest.mark.parametrize(("name", "said"), [("tfc-w1a1", "weights of one bit"), ("tfc-w1a2", "weights of one bit")])
def test_words_that_cannot_be_0_are_refused(name: str, said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        Erasure(0.1).on_train_start(models.build(name))


def test_layers_and_activations_of_others_are_refused() -> None:
    with pytest.raises(TrainingError, match="QuantLinear"):
        Erasure(0.1).on_train_start(
            nn.Sequential(qnn.QuantIdentity(), qnn.QuantLinear(4, 2, bias=False), qnn.QuantReLU())
        )
    bipolar = nn.Sequential(nn.Flatten(), QuantisedLinear(2, 4, 2), QuantisedActivation(1))
    with pytest.raises(TrainingError, match="no level 0"):
        Erasure(0.1).on_train_start(bipolar)
    with pytest.raises(TrainingError, match="no layers with weights"):
        Erasure(0.1).on_train_start(nn.Sequential(nn.ReLU()))


@pytest.mark.parametrize("name", ["tfc-w2a2", "resnet8-w2a2"])
def test_quantised_words_are_erased_and_no_other_one_changes(name: str) -> None:
    """The words that a layer reads: those of a network without erasures, or 0, at the rate; injected errors, too."""
    model, rate = models.build(name), 0.3
    layers = {key: module for key, module in model.named_modules() if isinstance(module, OwnLayer)}
    before = {key: quantised_weight(module).detach().clone() for key, module in layers.items()}
    erasure = Erasure(rate)
    with FaultAware(model, method="fat1", p=50, error_model="element") as aware:
        aware.start_epoch(0)
        erasure.on_train_start(model)
        model.train()
        seen: list[Tensor] = []
        model.get_submodule(aware.injectors[0].name).register_forward_hook(lambda m, args, out: seen.append(out))
        shape = models.spec(name).topology.input_shape
        model(torch.rand(16, *shape)).sum().backward()
        for key, module in layers.items():
            read = as_read(module, quantised_weight(module))
            gone = read != before[key]
            assert torch.all(read[gone] == 0), key
            nonzero = before[key] != 0
            share = float(gone[nonzero].float().mean())
            assert abs(share - rate) < 5 * (rate * (1 - rate) / int(nonzero.sum())) ** 0.5, key
            assert module.weight.grad is not None
            assert float(torch.eq(module.weight.grad, 0).float().mean()) >= rate / 2, key
        assert float((seen[0] == 0).float().mean()) > rate
        model.eval()
        assert all(torch.equal(as_read(module, before[key]), before[key]) for key, module in layers.items())
        erasure.on_train_end(model)
        assert all(READ not in module.__dict__ for module in layers.values())


def test_erasures_and_fat_train_together() -> None:
    """Equal seeds give equal weights; without either they are others."""
    data, found = digits(80), []
    for number, (erase, method) in enumerate(((0.1, "fat2"), (0.1, "fat2"), (0.0, "fat2"), (0.1, "sat"))):
        chosen = make_method(method, 20.0 if method == "fat2" else None, None, None)
        with tempfile.TemporaryDirectory() as folder:
            done = train("tfc-w2a2", data, data, recipe(erase=erase, epochs=2), Path(folder) / str(number),
                         method=chosen, progress=False)  # fmt: skip
        found.append({name: tensor.clone() for name, tensor in done.model.state_dict().items()})
    first, *others = found
    equal = [all(torch.equal(tensor, other[name]) for name, tensor in first.items()) for other in others]
    assert equal == [True, False, False]


@pytest.mark.parametrize("probability", [-0.1, 1.0, float("nan")])
def test_what_is_no_probability(probability: float) -> None:
    with pytest.raises(TrainingError, match="erase"):
        recipe(erase=probability)


def test_an_interrupted_training_ends_with_the_same_weights(tmp_path: Path) -> None:
    data, settings = digits(120), recipe(erase=0.1, epochs=3, loss="cross_entropy", learning_rate=0.002)
    whole = train("lenet-fc-w75", data, data, settings, tmp_path / "whole", progress=False)

    class StopError(Exception):
        pass

    class Stopper(Erasure):
        def on_epoch_start(self, model: nn.Module, epoch: int) -> None:
            if epoch == 2:
                raise StopError

        def on_train_start(self, model: nn.Module) -> None:
            pass

    with pytest.raises(StopError):
        train("lenet-fc-w75", data, data, settings, tmp_path / "parts", callbacks=[Stopper(0)], progress=False)
    train("lenet-fc-w75", data, data, settings, tmp_path / "parts", progress=False)
    parts = read_checkpoint(tmp_path / "parts" / "last.pt")
    assert all(torch.equal(tensor, parts.model[name]) for name, tensor in whole.model.state_dict().items())
    plain = train("lenet-fc-w75", data, data, recipe(epochs=3, loss="cross_entropy", learning_rate=0.002),
                  tmp_path / "plain", progress=False)  # fmt: skip
    assert not torch.equal(plain.model.state_dict()["fc0.weight"], parts.model["fc0.weight"])
    with pytest.raises(TrainingError, match="erase"):
        train("lenet-fc-w75", data, data, recipe(erase=0.2, epochs=3, loss="cross_entropy", learning_rate=0.002),
              tmp_path / "parts", progress=False)  # fmt: skip
