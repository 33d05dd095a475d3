"""Bounded activations against their definition, their gradients, and their ONNX form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from fat_fpga.errors import ModelError
from fat_fpga.hardening.ranges.checkpoint import write_onnx
from fat_fpga.ranges.activation import STYLES, UNBOUNDED, Bounded, SmoothBounded
from fat_fpga.ranges.restricted import Ranges, activations, restrict
from fat_fpga.ranges.weights import InRange, ranges_of
from tests.hardening.ranges.small import ROW, network

KINDS = sorted(UNBOUNDED, key=lambda kind: kind.__name__)


def by_definition(y: float, bound: float, style: str, two_sided: bool) -> float:
    """One value, in plain Python."""
    if y <= bound and (y >= -bound or not two_sided):
        return y
    sign = -1 if two_sided and y < -bound else 1
    return sign * bound if style == "clamp" else 0.0


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("kind", KINDS)
@given(st.lists(st.floats(width=32), min_size=1, max_size=20), st.floats(0, 10, width=32))
def test_each_value_is_as_defined(style: str, kind: type[nn.Module], values: list[float], bound: float) -> None:
    x = torch.tensor(values)
    activation = kind().eval()
    found = Bounded(activation, torch.tensor(bound), style).eval()(x.clone())
    plain = activation(x.clone())
    expected = [by_definition(y, float(torch.tensor(bound)), style, UNBOUNDED[kind]) for y in plain.tolist()]
    assert torch.equal(found, torch.tensor(expected))


def test_nothing_that_is_not_finite_is_left() -> None:
    x = torch.tensor([float("nan"), float("inf"), 3e38, 1.0])
    for style, high in (("clip", 0.0), ("clamp", 2.0)):
        assert Bounded(nn.ReLU(), torch.tensor(2.0), style)(x).tolist() == [high, high, high, 1.0]


def test_bounds_of_channels_and_neurons() -> None:
    x = torch.tensor([[[[1.0, 5.0]], [[1.0, 5.0]]]])
    assert Bounded(nn.ReLU(), torch.tensor([[[2.0]], [[9.0]]]))(x).tolist() == [[[[1, 0]], [[1, 5]]]]
    neurons = torch.tensor([[[0.5, 6.0]], [[0.5, 2.0]]])
    assert Bounded(nn.ReLU(), neurons)(x).tolist() == [[[[0, 5]], [[0, 0]]]]


@pytest.mark.parametrize("kind", [nn.ReLU, nn.LeakyReLU, nn.SiLU, nn.ELU, nn.Softplus])
@pytest.mark.parametrize("style", STYLES)
def test_the_gradient_is_that_of_the_values(kind: type[nn.Module], style: str) -> None:
    x = torch.tensor([-3.0, -0.7, 0.4, 1.3, 2.6, 5.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(Bounded(kind(), torch.tensor(2.1, dtype=torch.float64), style), (x,))


@pytest.mark.parametrize("kind", [nn.ReLU, nn.LeakyReLU, nn.SiLU])
def test_the_gradient_of_a_bound_that_is_trained(kind: type[nn.Module]) -> None:
    x = torch.tensor([[-3.0, 0.4, 1.9], [0.3, 1.3, 2.6]], dtype=torch.float64, requires_grad=True)
    bound = torch.tensor([2.1, 0.5, 3.0], dtype=torch.float64, requires_grad=True)
    part = SmoothBounded(kind(), bound)

    def run(values: Tensor, bounds: Tensor) -> Tensor:
        found: Tensor = torch.func.functional_call(part, {"bound": bounds}, (values,))
        return found

    assert torch.autograd.gradcheck(run, (x, bound))


def test_a_smooth_bound_is_close_to_a_hard_one_away_from_it() -> None:
    x = torch.tensor([0.0, 0.3, 0.6, 1.5, 3.0, 1e30])
    hard, smooth = (kind(nn.ReLU(), torch.tensor(1.0)) for kind in (Bounded, SmoothBounded))
    assert torch.allclose(hard(x), smooth(x), atol=1e-3)


@pytest.mark.parametrize(
    ("activation", "bound", "style"),
    [
        (nn.Sigmoid(), 1.0, "clip"),
        (nn.ReLU(), -1.0, "clip"),
        (nn.ReLU(), float("nan"), "clip"),
        (nn.ReLU(), 1.0, "cut"),
    ],
)
def test_what_is_no_bound(activation: nn.Module, bound: float, style: str) -> None:
    with pytest.raises(ModelError):
        Bounded(activation, torch.tensor(bound), style)


def test_a_word_beyond_its_range_is_read_as_0() -> None:
    words = torch.tensor([-2.0, -1.0, 0.5, 1.0, 1.1, float("nan"), float("-inf")])
    assert InRange(-1.0, 1.0)(words).tolist() == [0, -1, 0.5, 1, 0, 0, 0]


def test_without_faults_the_own_ranges_change_no_bit() -> None:
    images = torch.rand(5, *ROW)
    plain = network()
    bounds = {name: torch.tensor(1e9) for name in activations(plain)}
    restricted = restrict(network(), Ranges("clip", bounds, ranges_of(plain)))
    assert torch.equal(restricted(images), plain(images))


def test_an_activation_in_two_places_has_one_bound() -> None:
    shared = nn.ReLU()
    model = nn.Sequential(nn.Linear(2, 2), shared, nn.Linear(2, 2), shared)
    assert list(activations(model)) == ["1"]
    restrict(model, Ranges(bounds={"1": torch.tensor(1.0)}))
    assert model[1] is model[3]
    assert isinstance(model[1], Bounded)


@pytest.mark.parametrize("ranges", [Ranges(bounds={"act9": torch.tensor(1.0)}), Ranges(weights={"fc9.weight": (0, 1)})])
def test_ranges_of_another_network(ranges: Ranges) -> None:
    with pytest.raises(ModelError, match="another network"):
        restrict(network(), ranges)


@pytest.mark.parametrize("style", STYLES)
def test_onnxruntime_gives_the_same(tmp_path: Path, style: str) -> None:
    torch.manual_seed(1)
    bounds = {"act0": torch.tensor(0.2), "act1": torch.rand(6, 4, 4), "act2": torch.tensor(0.5)}
    model = restrict(network(), Ranges(style, bounds, ranges_of(network())))
    write_onnx(model, ROW, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    images = torch.rand(1, *ROW)
    (found,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    assert np.allclose(found, model(images).detach().numpy(), atol=1e-5)
