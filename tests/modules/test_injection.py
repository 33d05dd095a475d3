"""Injection: the bit that was asked for and no other, and nothing left behind."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fat_fpga.errors import DataError, EngineError
from fat_fpga.faults import AnyFault, expand, fault_space, parse_fault
from fat_fpga.faults.pattern import Pattern
from fat_fpga.modules import ModuleSubject
from fat_fpga.modules.edits import edits_of
from fat_fpga.modules.engine import ModuleEngine
from fat_fpga.modules.injection import held
from tests.designs.random_module import random_case

ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)
LABELS = np.zeros(4, np.int64)


class Scaled(nn.Module):
    """Scores that are worked out by hand: the row times a weight each."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([1.0, 0.5, 0.25]))
        self.probe = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.probe(x * self.scale)
        return result


def scaled() -> ModuleSubject:
    return ModuleSubject(Scaled().eval(), (3,), pixels="none")


def predictions(subject: ModuleSubject, text: str, plain: bool = False) -> list[int]:
    found = ModuleEngine(plain).open(subject).run(ROWS, LABELS, [parse_fault(text)], predictions=True)
    assert found.predictions is not None
    return [int(part) for part in found.predictions[0]]


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("scale/weight[2].bit[31] ^ 1", [1, 0, 0, 0]),  # 0.25 becomes -0.25: the first row is 0, 0.5, -0.5
        ("scale/weight[2].bit[24] ^ 1", [2, 2, 2, 2]),  # the exponent 01111101 becomes 01111111: 0.25 becomes 1
        ("scale/weight[0].bit[30] ^ 1", [-1, -1, -1, -1]),  # 1 becomes infinite, and 0 times that is NaN
        ("scale/weight[0].bit[23] = 0 & scale/weight[0].bit[23] ^ 1", [1, 0, 0, 0]),  # held, then flipped: as it was
        ("probe/output[0].bit[31] ^ 1", [1, 1, 1, 1]),  # the first score of each row changes its sign
        ("probe/activation[0].bit[31] ^ 1 @ frame[2]", [1, 0, 1, 0]),  # of row 2 alone
        ("input/activation[1].bit[31] ^ 1 @ frame[0]", [2, 0, 0, 0]),  # the row becomes 0, -1, 2
    ],
)
def test_meaning_worked_out_by_hand(text: str, expected: list[int], plain: bool) -> None:
    assert predictions(scaled(), text, plain) == expected


def test_scores_that_are_not_finite_are_an_outcome_of_their_own() -> None:
    fault = parse_fault("scale/weight[0].bit[30] ^ 1")
    golden = ModuleEngine().open(scaled()).run(ROWS, LABELS, []).golden.astype(np.int64)
    found = ModuleEngine().open(scaled()).run(ROWS, golden, [fault], counting=("outcomes", "nonfinite"))
    counts = {name: int(numbers[0]) for name, numbers in found.counts.items()}
    assert found.correct[0] == 0
    assert counts["nonfinite"] == counts["critical"] == 4
    assert counts["masked"] + counts["noncritical"] + counts["sdc1"] + counts["detected"] == 0


@contextmanager
def unchanged(module: nn.Module) -> Iterator[None]:
    """The state dict, hooks and attributes of a module are the same afterwards, to the byte."""

    def state() -> tuple[dict[str, bytes], list[tuple[str, list[str]]]]:
        words = {
            name: tensor.detach().reshape(-1).view(torch.uint8).numpy().tobytes()
            for name, tensor in module.state_dict().items()
        }
        hooks = [
            (name, sorted(part.__dict__) + list(map(str, part._forward_hooks))) for name, part in module.named_modules()
        ]
        return words, hooks

    before = state()
    yield
    assert state() == before


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_nothing_is_left_behind(dtype: torch.dtype) -> None:
    module = nn.Sequential(nn.Linear(3, 8), nn.ReLU(inplace=True), nn.Linear(8, 4)).to(dtype).eval()
    weight = module[0].weight
    assert isinstance(weight, Tensor)
    integer = {2: torch.int16, 4: torch.int32, 8: torch.int64}[dtype.itemsize]
    with torch.no_grad():
        weight[0, 0] = float("nan")
        weight.view(integer)[0, 0] += 5  # a NaN that says something
        weight[0, 1] = -0.0
    subject = ModuleSubject(module, (3,), pixels="none")
    faults: list[AnyFault] = [*fault_space(subject, "weight").sample(20), *fault_space(subject, "output").sample(5)]
    faults += [parse_fault("*/weight[*].bit[*] ^ 1 ~ 0.5 @ sample[1]"), parse_fault("*/weight[*] = 0 ~ 1 @ sample[0]")]
    with unchanged(module), held(subject.tensors, [e for f in faults for e in edits_of(subject, f, 0, 4, 0)]):
        pass
    with unchanged(module), pytest.raises(EngineError, match="not finite for image 0 without a fault"):
        ModuleEngine().open(subject).run(ROWS, LABELS, faults)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_words_are_the_same_however_they_lie_in_memory(dtype: torch.dtype) -> None:
    """A weight in the order of its index is changed as integers in memory; one in another order by operators."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 2), nn.Flatten(), nn.Linear(4, 3)).to(dtype).eval()
    strided = copy.deepcopy(module).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    weight, other = (part.get_parameter("0.weight").detach() for part in (module, strided))
    assert weight.is_contiguous()
    assert not other.is_contiguous()
    subjects = [ModuleSubject(part, (3, 2, 2), pixels="none") for part in (module, strided)]
    faults: list[AnyFault] = [
        *fault_space(subjects[0], "weight").sample(12),
        parse_fault("0/weight[2,1,1,0].bit[3] = 1"),
    ]
    faults += [
        parse_fault("*/weight[*].bit[*] ^ 1 ~ 0.2 @ sample[1]"),
        parse_fault("0/weight[*] = 0 ~ 0.5 @ sample[0]"),
    ]
    integer = {2: torch.int16, 4: torch.int32, 8: torch.int64}[dtype.itemsize]
    for fault in faults:
        with ExitStack() as stack:
            for subject in subjects:
                stack.enter_context(held(subject.tensors, edits_of(subject, fault, 0, 4, 0)))
            assert torch.equal(weight.view(integer), other.contiguous().view(integer)), str(fault)
        assert torch.equal(weight, other)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("formats", [{}, {"weight": "Q2.6"}])
def test_nothing_is_left_behind_where_a_run_ends_with_an_exception(plain: bool, formats: dict[str, str]) -> None:
    class Stops(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last, self.armed = nn.Linear(3, 3), nn.Linear(3, 3), False

        def forward(self, x: Tensor) -> Tensor:
            y = self.first(x)
            if self.armed and float(self.first.weight.abs().max()) > 1e6:
                raise KeyboardInterrupt
            result: Tensor = self.last(y)
            return result

    module = Stops().eval()
    subject = ModuleSubject(module, (3,), pixels="none", formats=formats)
    module.armed = True
    fault = parse_fault("first/weight[0,0].bit[30] = 1 & first/weight[0,0].bit[29] = 1 & last/output[0].bit[3] ^ 1")
    if formats:
        fault = parse_fault("first/weight[0,0].bit[7] ^ 1 & last/output[0].bit[3] ^ 1")
        module.armed = False
        module.last.register_forward_hook(lambda *_: 1 / 0)
        with unchanged(module), pytest.raises(EngineError, match="raises an error without a fault: ZeroDivisionError"):
            ModuleEngine(plain).open(subject).run(ROWS, LABELS, [fault])
        return
    with unchanged(module), pytest.raises(KeyboardInterrupt):
        ModuleEngine(plain).open(subject).run(ROWS, LABELS, [fault])


def test_weights_of_a_format_are_rounded_only_while_a_run_lasts() -> None:
    module = nn.Linear(3, 2, bias=False).eval()
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[0.26, 0.0, 0.0], [0.24, 0.0, 0.0]]))
    rows, labels = np.array([[1.0, 0, 0]], np.float32), np.zeros(1, np.int64)
    wrapped = nn.Sequential(module).eval()
    with unchanged(module):
        subject = ModuleSubject(wrapped, (3,), pixels="none", formats={"weight": "Q2.2"})
        found = ModuleEngine().open(subject).run(
            rows, labels, [parse_fault("0/weight[1,0].bit[0] ^ 1"), parse_fault("0/weight[1,0].bit[1] ^ 1")],
            predictions=True, counting=("outcomes",),
        )  # fmt: skip
    assert found.golden.tolist() == [0]  # both are 0.25 in steps of a quarter
    assert found.predictions is not None
    assert found.predictions[:, 0].tolist() == [0, 1]  # 0.25 becomes 0, and 0.75
    assert found.counts["noncritical"].tolist() == [1, 0]


def test_bits_of_brevitas_are_those_of_its_integers() -> None:
    case = random_case("quantised", 7)
    subject = case.subject
    site = subject.sites["conv", "weight"]
    quantised = subject.module.get_submodule("conv").quant_weight()  # type: ignore[operator]
    integers = quantised.int().numpy()
    fault = parse_fault(f"conv/weight[1,0,2,1].bit[{site.format.bits - 1}] ^ 1")
    seen: list[np.ndarray] = []
    quantiser = subject.modules["conv.weight_quant"]
    original = subject.modules["conv"].inner_forward_impl

    def look(x: Tensor, weight: object, bias: object) -> object:
        seen.append(np.rint((weight.value / weight.scale).detach().numpy()).astype(int))  # type: ignore[attr-defined]
        return original(x, weight, bias)  # type: ignore[operator]

    subject.modules["conv"].inner_forward_impl = look  # type: ignore[assignment]
    ModuleEngine().open(subject).run(case.images, np.zeros(len(case.images), np.int64), [fault])
    expected = integers.copy()
    bits = site.format.bits
    word = (int(expected[1, 0, 2, 1]) & (1 << bits) - 1) ^ 1 << bits - 1
    expected[1, 0, 2, 1] = word - (1 << bits) if word >> bits - 1 else word
    np.testing.assert_array_equal(seen[-1], expected)
    assert quantiser is subject.modules["conv.weight_quant"]


@pytest.mark.parametrize(
    "text",
    [
        "*/weight[*].bit[*] ^ 1 ~ 0.01 @ sample[0]",
        "*/activation[*].bit[*] = 1 ~ 0.01 @ sample[3]",
        "*/activation+weight[*].bit[30] ^ 1 ~ 0.05 @ sample[3]",
        "*/weight[*] = uniform ~ 0.02 @ sample[1]",
        "*/weight[*] = 0 ~ 0.1 @ sample[1]",
    ],
)
def test_patterns_are_their_single_faults(text: str) -> None:
    """Without making these: the same words, the same masks."""
    subject = random_case("convolutional", 1).subject
    pattern = parse_fault(text)
    assert isinstance(pattern, Pattern)
    fast = edits_of(subject, pattern, 5, 3, 2)
    slow = edits_of(subject, expand(subject, pattern, 5, 3), 5, 3, 2)

    def words(edits: list) -> dict[tuple[str, int, int], tuple[int, int]]:  # type: ignore[type-arg]
        return {
            (f"{e.site.where} {e.site.name}", int(row), int(cell)): (
                int(keep) & (1 << e.site.format.bits) - 1, int(flip) & (1 << e.site.format.bits) - 1
            )
            for e in edits
            for row, cell, keep, flip in zip(e.rows, e.cells, e.keep, e.flip, strict=True)
        }  # fmt: skip

    assert words(fast) == words(slow)
    assert fast


def test_states_are_met_between_two_steps() -> None:
    """A GRU by hand: the state after step 0 is what step 1 reads, and the output of step 0 is left as it is."""
    torch.manual_seed(1)
    gru, head = nn.GRU(2, 3, batch_first=True), nn.Identity()

    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru, self.head = gru, head

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.head(self.gru(x)[0].flatten(1))
            return result

    subject = ModuleSubject(Last().eval(), (2, 2), pixels="none")
    assert subject.places["gru"].cells["state"].dims == (1, 1, 3)
    rows = np.array([[[0.5, -1.0], [2.0, 0.25]]], np.float32)
    seen: list[Tensor] = []
    head.register_forward_hook(lambda module, args, output: seen.append(output.clone()))
    ModuleEngine(rows=1).open(subject).run(
        rows, np.zeros(1, np.int64), [parse_fault("gru/state[0,0,1].bit[31] ^ 1 @ frame[0]")]
    )
    with torch.no_grad():
        first, state = gru(torch.from_numpy(rows)[:, :1])
        state[0, 0, 1] *= -1
        second, _ = gru(torch.from_numpy(rows)[:, 1:], state)
    assert torch.equal(seen[-1], torch.cat([first, second], 1).flatten(1))


def test_images_of_another_shape_or_type() -> None:
    with pytest.raises(DataError, match="Scaled takes rows of shape \\[3\\], got \\[2\\]"):
        ModuleEngine().open(scaled()).run(ROWS[:, :2], LABELS, [])
    with pytest.raises(DataError, match="Scaled takes finite numbers"):
        ModuleEngine().open(scaled()).run(ROWS * np.float32("nan"), LABELS, [])
    with pytest.raises(DataError, match="takes uint8 pixels, got float32: give pixels='none'"):
        ModuleEngine().open(ModuleSubject(Scaled().eval(), (3,))).run(ROWS, LABELS, [])


def test_a_compiled_module_is_executed_as_the_module_that_was_compiled() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    compiled: Any = torch.compile(module, backend="eager")
    rows = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    with torch.no_grad():
        before = compiled(torch.from_numpy(rows))
    subjects = [ModuleSubject(part, (6,), "net", pixels="none") for part in (module, compiled)]
    assert subjects[0].fingerprint == subjects[1].fingerprint
    faults = [parse_fault(f"2/weight[{row},{column}].bit[30] ^ 1") for row in range(3) for column in range(8)]
    plain, fast = (
        ModuleEngine().open(subject).run(rows, np.zeros(5, np.int64), faults, predictions=True) for subject in subjects
    )
    assert plain.predictions is not None
    assert fast.predictions is not None
    assert np.array_equal(plain.predictions, fast.predictions)
    assert (plain.predictions != plain.golden).any()
    with torch.no_grad():
        assert torch.equal(compiled(torch.from_numpy(rows)), before)
