"""One float module in fixed point by two roads: the integer program and the module itself, under the same faults."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from fat_fpga.cli.main import main
from fat_fpga.crosscheck import crosscheck, random_images, sample_faults
from fat_fpga.crosscheck.table import crosscheck_text
from fat_fpga.engines import get
from fat_fpga.errors import EngineError, ModelError
from fat_fpga.faults import parse_fault
from fat_fpga.faults.fault import FaultSet
from fat_fpga.fixed_point import Formats, LayerFormats, QFormat
from fat_fpga.models import build
from fat_fpga.modules.fixed.pair import FixedPair, fixed_pair
from tests.designs.random_fixed_module import Block, random_fixed_module

FORMATS = Formats(QFormat(2, 6), QFormat(4, 4))


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1))
def test_both_roads_agree_under_faults(seed: int) -> None:
    module, row, formats = random_fixed_module(seed)
    pair = fixed_pair(module, row, formats)
    network = pair.network
    images = random_images(network, 3, seed)
    faults = sample_faults(network, ("weight", "activation"), 16, 3, seed)
    taken = [fault for fault in faults if pair.engine().open(network).refuses(fault) is None]
    taken.append(FaultSet(tuple(part for fault in taken[::5] for part in fault.faults)))
    engines = {"reference": get("reference"), "module": pair.engine(), "module:plain": pair.engine(plain=True)}
    check = crosscheck(network, images, taken, engines)
    assert check.equal, crosscheck_text(check)
    assert check.compared
    assert len(taken) > 6
    assert {unit.name for unit in network.units} <= {place for place, kind in pair.addresses.known if kind == "weight"}


def lenet() -> FixedPair:
    torch.manual_seed(0)
    return fixed_pair(build("lenet-fc", 10).eval(), (1, 28, 28), Formats(QFormat(2, 6), QFormat(5, 3)))


def test_lenet_fc_in_all_engines() -> None:
    pair = lenet()
    images = random_images(pair.network, 3)
    faults = sample_faults(pair.network, ("weight", "activation"), 24, 3)
    engines = {"native": get("native"), "qonnx": get("qonnx"), "module": pair.engine()}
    check = crosscheck(pair.network, images, faults, engines)
    assert check.equal, crosscheck_text(check)
    assert not check.refusals
    assert all(part.faults == len(faults) for part in check.pairs)


def test_patterns_are_those_of_the_network() -> None:
    pair = lenet()
    images = random_images(pair.network, 3)
    patterns = [parse_fault(f"*/{kind}[*].bit[*] ^ 1 ~ 2e-3 @ sample[5]") for kind in ("weight", "activation")]
    labels = np.zeros(3, np.int64)
    first, second = (
        engine.open(pair.network).run(images, labels, patterns, predictions=True).predictions
        for engine in (get("reference"), pair.engine())
    )
    assert first is not None
    assert second is not None
    assert np.array_equal(first, second)


def test_a_weight_is_the_bit_of_the_same_word() -> None:
    pair = lenet()
    unit, fault = pair.network.units[1], parse_fault("fc1/weight[7,31,0,0].bit[5] ^ 1")
    (own,) = (pair.addresses.fault(part) for part in fault.faults)
    word = int(unit.weights[7, 31, 0, 0])
    assert (own.kind, own.index, own.bit) == ("weight", (7, 31), 5)
    weight = pair.subject.tensors[f"{own.layer}.weight"]
    assert weight[7, 31].item() * 2**6 == word
    assert weight.dtype == torch.float64


def test_what_the_module_has_not_is_refused_by_name() -> None:
    pair = lenet()
    refused = pair.engine().open(pair.network).refuses(parse_fault("fc1/threshold[3,2].bit[0] ^ 1"))
    assert refused is not None
    assert refused.startswith(f"fc1/threshold[3,2].bit[0] ^ 1: {pair.network.name} has no such words, only weights")
    other = fixed_pair(nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).eval(), (1, 2, 2), FORMATS)
    with pytest.raises(EngineError, match="is another"):
        pair.engine().open(other.network)


class Functional(nn.Module):
    """What becomes words is in its own forward."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.first, self.second, self.factor = nn.Linear(4, 5), nn.Linear(5, 3), factor

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.second(torch.relu(self.first(x.flatten(1)))) * self.factor
        return found


class Folded(Functional):
    """A factor is folded into the weights."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.second(self.relu(self.first(x.flatten(1)) * 3.0))
        return found


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.relu = nn.Linear(4, 4), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.one(self.relu(self.one(x.flatten(1))))
        return found


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Functional(), "result of Relu .* in the forward of the module itself: compute it in a module of its own"),
        (Folded(), "differ without a fault: is there arithmetic outside its modules"),
        (Twice(), "has 2 products with weights, and calls 2 modules of type Linear or Conv: each .* called once"),
    ],
)
def test_modules_that_have_no_second_road(module: nn.Module, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        fixed_pair(module.eval(), (1, 2, 2), FORMATS)


def test_one_module_has_one_format() -> None:
    torch.manual_seed(0)
    row = (2, 4, 4)
    module = nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU(), Block(2, True), nn.Flatten(), nn.Linear(32, 3)).eval()
    layers = {name: LayerFormats(None, QFormat(3, 4)) for name in _layers(module, row) if name.endswith("Add")}
    with pytest.raises(ModelError, match=r"is called several times, and gives words of Q.* and Q"):
        fixed_pair(module, row, Formats(QFormat(2, 3), QFormat(2, 4), layers))


def _layers(module: nn.Module, row: tuple[int, int, int]) -> tuple[str, ...]:
    from fat_fpga.fixed_point.sources import exported

    return exported(module, "net", row).layers


def test_training_mode_is_refused() -> None:
    with pytest.raises(ModelError, match="is in training mode"):
        fixed_pair(nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).train(), (1, 2, 2), FORMATS)


def test_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    model = ["crosscheck", "module:fat_fpga.models.floats:lenet_fc", "--image-shape", "1,28,28", "--quiet"]
    forms = ["--weights", "Q2.6", "--activations", "Q5.3", "--threads", "1"]
    asked = ["--faults", "weight,activation", "--sample", "6", "--images", "2"]
    assert main([*model, *forms, *asked, "--engines", "native,module,module:plain"]) == 0
    out = capsys.readouterr().out
    assert "native = module " in out
    assert "module = module:plain" in out
    assert out.endswith("equal\n")
    assert main([*model, "--weights", "Q2.6"]) == 2
    assert "give --activations" in capsys.readouterr().err
    assert main([*model, *forms, "--engines", "native,file"]) == 2
    assert "fat-fpga quantise writes one" in capsys.readouterr().err
    assert main(["crosscheck", "lenet_fc", "--weights", "Q2.6"]) == 2
    assert "--weights is for float modules" in capsys.readouterr().err
