"""Memory that has several names: shared parameters, tensors that are changed in place, results with names."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fat_fpga.errors import EngineError, ModelError
from fat_fpga.faults import AnyFault, fault_space, parse_fault
from fat_fpga.modules import ModuleSubject
from fat_fpga.modules.batch import recorded
from fat_fpga.modules.edits import edits_of
from fat_fpga.modules.engine import ModuleEngine
from fat_fpga.modules.replay import Replay

ROWS = np.random.default_rng(5).normal(size=(6, 4)).astype(np.float32)
LABELS = np.zeros(6, np.int64)


class Tied(nn.Module):
    """Two layers with one weight, as an embedding and the layer behind a language model have."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.second.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.second(torch.tanh(self.first(x)))
        return result


class InPlace(nn.Module):
    """What a module gives is read under other names, too; the input is changed, and a module has a branch."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.start, self.relu = nn.ReLU(inplace=True), nn.ReLU(inplace=True)
        self.first, self.again, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x -= 0.25
        y = self.first(self.start(x.flatten(1)))
        z = self.relu(y)
        y += 1
        if (y.max() > 2).item():
            z = self.relu(self.again(z))
        result: Tensor = self.last(z) + self.last(y) + x
        return result


class Largest(nn.Module):
    """A result of ``torch.max``, whose parts have names."""

    def forward(self, x: Tensor) -> object:
        return torch.max(x.reshape(-1, 2, 4), 1)


class Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.wide, self.largest = nn.Linear(4, 8), Largest()

    def forward(self, x: Tensor) -> Tensor:
        found = self.largest(self.wide(x))
        found.values.mul_(2)  # a record keeps copies of what is changed later on
        result: Tensor = found.values
        return result


class Turn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, dtype=torch.complex64))
        self.order = nn.Parameter(torch.arange(4).flip(0), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weight).abs()[:, self.order]


class Turned(nn.Module):
    """Parameters whose words are no bits of a float: they are no places."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.turn, self.last = Turn(), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.last(self.turn(x))
        return result


LEAVES: dict[type[nn.Module], tuple[str, ...]] = {
    Tied: ("first", "second"),
    InPlace: ("start", "relu", "first", "last"),
    Named: ("wide", "largest"),
    Turned: ("turn", "last"),
}


def subject_of(module: nn.Module, **options: object) -> ModuleSubject:
    return ModuleSubject(module.eval(), (4,), pixels="none", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", LEAVES)
def test_fast_ways_equal_the_plain_one(kind: type[nn.Module]) -> None:
    subject = subject_of(kind())
    faults: list[AnyFault] = [*fault_space(subject, "weight").sample(30), *fault_space(subject, "output").sample(40)]
    faults += fault_space(subject, "activation", ["input", *LEAVES[kind]], frames=len(ROWS)).sample(40)
    fast, plain = (
        ModuleEngine(plain).open(subject).run(ROWS, LABELS, faults, predictions=True, counting=("outcomes",))
        for plain in (False, True)
    )
    np.testing.assert_array_equal(fast.predictions, plain.predictions)
    for name, counts in plain.counts.items():
        np.testing.assert_array_equal(fast.counts[name], counts, err_msg=name)
    assert (fast.counts["masked"] < len(ROWS)).any()


def test_faults_of_one_run_leave_nothing_in_the_input_of_the_next() -> None:
    fault = parse_fault("start/output[0].bit[31] ^ 1")
    session = ModuleEngine().open(subject_of(InPlace()))
    alone = session.run(ROWS, LABELS, [fault], predictions=True)
    after = session.run(ROWS, LABELS, [parse_fault("start/output[0].bit[30] ^ 1"), fault], predictions=True)
    assert alone.predictions is not None
    assert after.predictions is not None
    np.testing.assert_array_equal(after.predictions[1], alone.predictions[0])


def test_a_shared_parameter_is_one_memory() -> None:
    subject = subject_of(Tied())
    assert len(fault_space(subject, "weight")) == 32 * (16 + 4 + 4)
    assert len(fault_space(subject, "weight", ["second.weight"])) == 32 * 16
    texts = ["first/weight[1,2].bit[30] ^ 1", "second.weight/weight[1,2].bit[30] ^ 1"]
    found = ModuleEngine().open(subject).run(ROWS, LABELS, list(map(parse_fault, texts)), predictions=True)
    assert found.predictions is not None
    np.testing.assert_array_equal(found.predictions[0], found.predictions[1])


def test_a_shared_parameter_in_a_format_is_as_it_was_after_a_run() -> None:
    module = Tied()
    before = module.first.weight.detach().clone()
    subject = subject_of(module, formats={"weight": "Q2.3"})
    ModuleEngine().open(subject).run(ROWS, LABELS, [parse_fault("first/weight[0,0].bit[1] ^ 1")])
    assert torch.equal(module.first.weight, before)


def test_formats_that_fit_no_words() -> None:
    with pytest.raises(
        ModelError, match="format of 'relu/weight': relu has no words of kind weight: it has activation"
    ):
        subject_of(InPlace(), formats={"relu/weight": "Q2.6"})


def test_a_module_that_counts_in_an_integer() -> None:
    class Counts(nn.Linear):
        seen: Tensor

        def forward(self, x: Tensor) -> Tensor:
            self.seen += 1
            return super().forward(x)

    module = Counts(4, 4)
    module.register_buffer("seen", torch.zeros((), dtype=torch.int64))
    with pytest.raises(EngineError, match="Counts changes seen while it runs"):
        ModuleEngine().open(subject_of(module)).run(ROWS, LABELS, [])


def test_hooks_of_scripted_modules() -> None:
    module = nn.Sequential(torch.jit.script(nn.Linear(4, 4).eval()), nn.Linear(4, 4))
    session = ModuleEngine(plain=True).open(subject_of(module))
    with pytest.raises(EngineError, match="0 is a ScriptModule, which takes no hooks: choose --engine module"):
        session.run(ROWS, LABELS, [parse_fault("1/weight[0,0].bit[1] ^ 1")])


@pytest.mark.parametrize("how", ["as it is", "in place", "in place by .data", "by value"])
def test_what_a_module_does_to_its_input(how: str) -> None:
    """A module is called with a copy, unless it is known to leave what it is called with as it is."""

    class Takes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.probe = nn.Linear(3, 4)

        def forward(self, x: Tensor) -> Tensor:
            if how == "in place":
                x += 1
            elif how == "in place by .data":
                x.data.add_(1)
            elif how == "by value" and float(x.sum()) > 1e9:
                x += 1
            scores: Tensor = self.probe(x)
            return scores

    subject = ModuleSubject(Takes().eval(), (3,), pixels="none")
    rows = torch.arange(24.0).reshape(8, 3)
    found, before = recorded(subject, rows), rows.clone()
    assert found.keeps_input == (how == "as it is")
    replay = Replay(subject, rows, found)
    for text in ("input/activation[1].bit[31] ^ 1 @ frame[2]", "probe/weight[0,0].bit[31] ^ 1"):
        for _ in range(2):
            replay.output(edits_of(subject, parse_fault(text), 0, 8, 0))
    replay.anew()
    assert torch.equal(rows, before)


class Stages(nn.Module):
    """Four layers; what the first gives may be looked at, changed, or be a part of the scores."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.raises = how, False
        self.stages = nn.ModuleList(nn.Linear(3, 3) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stages[0](x)
        first = x
        for stage in self.stages[1:]:
            if self.raises:
                raise ValueError("stopped")
            x = stage(x)
        if self.how == "in place":
            first += x
        if self.how == "by value" and float(first.sum()) > 1e9:
            x = x + 1
        return first if self.how in ("given", "in place") else x + first


@pytest.mark.parametrize("how", ["added", "given", "in place", "by value"])
def test_flips_in_what_is_recorded_are_taken_back(how: str) -> None:
    """Where most layers give flipped bits, those of the first are put into the record itself if nobody has it then."""
    torch.manual_seed(0)
    module = Stages(how).eval()
    subject = ModuleSubject(module, (3,), pixels="none")
    rows = torch.arange(24.0).reshape(8, 3)
    found = recorded(subject, rows)
    replay, plain = Replay(subject, rows, found), Replay(subject, rows, found, reuse=False)
    before = [(call, call.output.clone()) for call in found.calls]
    assert replay.lends(found.calls[0]) == (how == "added")
    samples = [
        edits_of(subject, parse_fault(f"*/activation[*].bit[*] ^ 1 ~ 0.1 @ sample[{n}]"), 0, 8, 0) for n in range(4)
    ]
    outputs = [(replay.output(own), own) for own in samples for _ in range(2)]
    kept = [output.clone() for output, _ in outputs]
    module.raises = True
    with pytest.raises(ValueError, match="stopped"):
        replay.output(samples[0])
    module.raises = False
    for (output, own), copy in zip(outputs, kept, strict=True):
        np.testing.assert_array_equal(copy.view(torch.int32), plain.output(own).view(torch.int32))
        np.testing.assert_array_equal(output.view(torch.int32), copy.view(torch.int32))
        assert not torch.equal(copy, found.output)
    assert all(torch.equal(call.output, output) for call, output in before)
    assert not replay.damaged()
    assert torch.equal(rows, torch.arange(24.0).reshape(8, 3))
    assert torch.equal(plain.anew(), found.output)
