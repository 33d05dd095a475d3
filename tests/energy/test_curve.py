"""Energies at equal accuracy, assignments of blocks against brute force, accesses against the paper."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from fat_fpga.energy import (
    Block,
    EnergyPoint,
    Reliability,
    accesses,
    assign,
    assign_ratios,
    best_reduction,
    energy_curve,
    least_energy,
)
from fat_fpga.energy.blocks import TOLERANCE
from fat_fpga.errors import EnergyError
from fat_fpga.modules import ModuleSubject
from fat_fpga.network import load_network

RELIABLE = [EnergyPoint(100, 90), EnergyPoint(200, 94), EnergyPoint(150, 89)]


def test_the_least_energy_is_on_the_line_between_the_best_networks() -> None:
    assert least_energy(RELIABLE, 92) == pytest.approx(150)
    assert least_energy(RELIABLE, 90) == least_energy(RELIABLE, 10) == 100
    with pytest.raises(EnergyError, match=r"nearest is 94.00 % at 200"):
        least_energy(RELIABLE, 94.1)


def test_the_best_reduction() -> None:
    points = energy_curve(200, 94.0, [(0.001, 93.0), (0.01, 91.0), (0.1, 50.0)], Reliability())
    assert [point.accuracy for point in points] == [50, 91, 93, 94]
    found = best_reduction(points, RELIABLE)
    assert found is not None
    assert found[1].probability == 0.01
    assert found[0] == pytest.approx(125 / (200 * Reliability().energy(0.01)))
    assert best_reduction(points[:1], RELIABLE) is None


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(1, 1000), st.lists(st.floats(-0.5, 3), min_size=3, max_size=3)), min_size=1, max_size=4
    ),
    st.floats(0, 5),
)
def test_no_assignment_has_less_energy(parts: list[tuple[int, list[float]]], loss: float) -> None:
    rates, one = (0.001, 0.01, 0.1), Reliability()
    blocks = [
        Block(f"b{number}", size, tuple(zip(rates, losses, strict=True))) for number, (size, losses) in enumerate(parts)
    ]
    found = assign(blocks, one, loss)
    options = [((0.0, 0.0), *block.points) for block in blocks]

    def best(most: float) -> float:
        return min(
            sum(block.accesses * one.energy(rate) for block, (rate, _) in zip(blocks, chosen, strict=True))
            for chosen in product(*options)
            if sum(max(0.0, lost) for _, lost in chosen) <= most
        )

    assert found.loss <= loss + TOLERANCE
    assert best(loss + TOLERANCE) * (1 - 1e-9) <= found.energy <= best(loss) * (1 + 1e-9)


def test_fixed_ratios_meet_the_loss_and_need_no_less_than_the_optimum() -> None:
    one = Reliability()
    blocks = [Block("a", 100, ((0.01, 1.0), (0.1, 4.0))), Block("b", 900, ((0.01, 0.2), (0.1, 1.0)))]
    found = assign_ratios(blocks, (1, 5), one, 1.0)
    assert found.rates["b"] == pytest.approx(5 * found.rates["a"])
    assert found.loss == pytest.approx(1.0, abs=1e-6)
    for ratios, loss in (((1,), 1.0), ((1, 0), 1.0), ((1, 5), -1.0)):
        with pytest.raises(EnergyError):
            assign_ratios(blocks, ratios, one, loss)
    with pytest.raises(EnergyError, match="nearest is 0"):
        assign(blocks, one, -0.1)


class BasicBlock(nn.Module):
    """Of ResNet18 for CIFAR-10 (He et al. 2016)."""

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or before != channels:
            self.shortcut = nn.Sequential(nn.Conv2d(before, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.relu2(self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x))))) + self.shortcut(x))
        return found


def test_the_accesses_of_resnet18_are_those_of_table_1() -> None:
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    before = 64
    for channels, stride in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)):
        layers.append(BasicBlock(before, channels, stride))
        before = channels
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))
    found = accesses(ModuleSubject(model.eval(), (3, 32, 32)))
    assert f"{found.weights / 1e6:.1f} {found.activations / 1e6:.2f}" == "11.2 0.56"


def test_the_accesses_of_a_bundled_network() -> None:
    found = accesses(load_network("tfc_w2a2"))
    assert found.activations == 3 * 64
    assert found.weights == 784 * 64 + 2 * 64 * 64 + 64 * 10 + 3 * 64 * 2
    assert found.energy == found.weights + found.activations


def test_a_bounded_activation_counts_once() -> None:
    from fat_fpga.ranges.restricted import Ranges, restrict

    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).eval()
    plain = accesses(ModuleSubject(model, (1, 2, 2)))
    bounded = accesses(ModuleSubject(restrict(model, Ranges(bounds={"2": torch.tensor(1.0)})), (1, 2, 2)))
    assert plain == bounded
    assert plain.activations == 3
