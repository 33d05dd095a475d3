"""The erasure regulariser: gradients, rates, whole weights afterwards, resumed trainings."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from fat_fpga import models
from fat_fpga.errors import TrainingError
from fat_fpga.training.checkpoint import read_checkpoint
from fat_fpga.training.erasure import Erasure, erased
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


@pytest.mark.parametrize("name", ["tfc-w2a2", "resnet8-w2a2"])
def test_quantised_networks_are_refused(name: str) -> None:
    with pytest.raises(TrainingError, match="networks of floats"):
        Erasure(0.1).on_train_start(models.build(name))


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
