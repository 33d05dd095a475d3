"""The fast ways (prefix reuse, early stop, transients together, patterns without single faults) against the plain way:
hooks of PyTorch, one fault after the other. Every prediction, and every class of scores."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fat_fpga.errors import FaultError
from fat_fpga.faults import AnyFault, FaultSpace, check_faults, fault_model, fault_space, parse_fault
from fat_fpga.faults.fault import single_or_set
from fat_fpga.modules import ModuleSubject
from fat_fpga.modules.batch import recorded
from fat_fpga.modules.edits import edits_of
from fat_fpga.modules.engine import ModuleEngine
from fat_fpga.modules.replay import Replay
from fat_fpga.modules.values import same_bits
from tests.designs.random_module import KINDS, Case, random_case

MODULE_KINDS = ("weight", "activation", "output", "state")
COUNTING = ("outcomes", "nonfinite", "errors")
NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=NO_CUDA)]
EACH = 6
"""Faults of each module that is tried."""


def every_space(case: Case) -> list[FaultSpace]:
    """All faults of each kind that the module has, at all of its places."""
    found = []
    for kind in MODULE_KINDS:
        named = [name for name, place in case.subject.places.items() if kind in place.cells]
        if named:
            found.append(fault_space(case.subject, kind, named, frames=len(case.images)))
    return found


def random_faults(case: Case, rng: random.Random, count: int) -> Iterator[AnyFault]:
    spaces = every_space(case)
    for _ in range(count):
        singles = []
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            space = rng.choice(spaces)
            fault = space[rng.randrange(len(space))]
            if rng.random() < 0.5:  # the bits that matter: of a float the exponent
                bits = case.subject.sites[fault.layer, fault.kind].format.bits
                fault = type(fault)(**{**vars(fault), "bit": rng.randrange(bits * 3 // 4, bits)})
            if fault not in singles:
                singles.append(fault)
        yield single_or_set(singles)
    kinds = [space.blocks[0].kind for space in spaces]
    texts = ["[*].bit[*] ^ 1", "[*].bit[*] = 1", "[*].bit[1] = 0", "[*] = uniform", "[*] = 0", "[*].bit[*] = masked"]
    for _ in range(count // 3):
        kind, action, rate = rng.choice(kinds), rng.choice(texts), rng.choice(["1e-3", "1e-2", "0.04"])
        pattern = parse_fault(f"*/{kind}{action} ~ {rate} @ sample[{rng.randrange(9)}]")
        try:
            check_faults(case.subject, [pattern])
        except FaultError:  # masked floats, outputs of which none is listed
            continue
        yield pattern


def compare(case: Case, faults: list[AnyFault], rows: int) -> None:
    labels = np.zeros(len(case.images), np.int64)
    weights = {name: tensor.clone() for name, tensor in case.subject.module.state_dict().items()}
    fast, plain = (
        ModuleEngine(plain, rows)
        .open(case.subject)
        .run(case.images, labels, faults, predictions=True, counting=COUNTING)
        for plain in (False, True)
    )
    np.testing.assert_array_equal(fast.golden, plain.golden)
    assert fast.predictions is not None
    assert plain.predictions is not None
    for fault, one, other in zip(faults, fast.predictions, plain.predictions, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=str(fault))
    for name in plain.counts:
        np.testing.assert_array_equal(fast.counts[name], plain.counts[name], err_msg=name)
    for name, tensor in case.subject.module.state_dict().items():
        assert tensor.cpu().numpy().tobytes() == weights[name].cpu().numpy().tobytes(), name


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=max(2, settings().max_examples // 25))
@given(seed=st.integers(0, 10**6))
def test_fast_ways_equal_the_plain_one(kind: str, device: str, seed: int) -> None:
    rng = random.Random(seed)
    case = random_case(kind, seed, device=device)
    compare(case, list(random_faults(case, rng, EACH)), rng.choice([5, 8, 16]))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=max(2, settings().max_examples // 25))
@given(seed=st.integers(0, 10**6), rate=st.sampled_from(["1e-4", "1e-3", "0.02", "1"]))
def test_flips_everywhere_equal_the_plain_way(kind: str, seed: int, rate: str) -> None:
    """Where nearly all outputs are hit nothing is compared with the record, and words are changed where they are."""
    case = random_case(kind, seed)
    texts = ["*/activation[*].bit[*] ^ 1", "*/activation[*].bit[2] ^ 1", "*/activation[*].bit[*] ^ 1"]
    faults = [parse_fault(f"{text} ~ {rate} @ sample[{number}]") for number, text in enumerate(texts)]
    compare(case, [fault for fault in faults if not _refused(case, fault)], 8)


def _refused(case: Case, fault: AnyFault) -> bool:
    try:
        check_faults(case.subject, [fault])
    except FaultError:  # words of which none has a bit 2
        return True
    return False


class Counted(nn.Linear):
    """A layer that counts its calls."""

    calls = 0

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        Counted.calls += 1
        return super().forward(input)


def test_flips_everywhere_are_known_to_be_dense() -> None:
    """Else the test above would not be about them. What is before the first flip is still taken from the record."""
    module = nn.Sequential(Counted(3, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 3)).eval()
    subject = ModuleSubject(module, (3,), pixels="none")
    tensor = torch.from_numpy(np.random.default_rng(0).normal(0, 1, (8, 3)).astype(np.float32))
    replay = Replay(subject, tensor, recorded(subject, tensor))
    few = edits_of(subject, parse_fault("1/activation[*].bit[*] ^ 1 ~ 1e-3 @ sample[0]"), 0, 8, 0)
    many = edits_of(subject, parse_fault("1+2+3+4/activation[*].bit[*] ^ 1 ~ 0.02 @ sample[0]"), 0, 8, 0)
    assert (len(few), len(many)) == (1, 4)
    assert (replay.dense(few), replay.dense(many)) == (False, True)
    before = Counted.calls
    assert not same_bits(replay.output(many), replay.record.output)
    assert Counted.calls == before
    found, run = replay.output(many), Replay(subject, tensor, replay.record, reuse=False).output(many)
    assert same_bits(found, run)
    assert Counted.calls == before + 1
    assert not replay.damaged()


def test_every_kind_of_module_has_the_faults_that_are_tried() -> None:
    kinds = {kind: {s.blocks[0].kind for s in every_space(random_case(kind, 1))} for kind in KINDS}
    assert all({"weight", "activation", "output"} <= found for found in kinds.values())
    assert any("state" in {s.blocks[0].kind for s in every_space(random_case("recurrent", n))} for n in range(8))
    assert {fault_model(kind).kind for kind in MODULE_KINDS} == set(MODULE_KINDS)


def test_faults_do_something() -> None:
    """Else agreement would say nothing: of random faults many change a score, some a class."""
    changed = scores = 0
    for kind in KINDS:
        case = random_case(kind, 3)
        faults = list(random_faults(case, random.Random(3), 30))
        found = (
            ModuleEngine()
            .open(case.subject)
            .run(case.images, np.zeros(len(case.images), np.int64), faults, counting=COUNTING)
        )
        changed += int(found.changed.sum())
        scores += int(found.counts["noncritical"].sum())
    assert changed > 20
    assert scores > 100


def test_a_prediction_does_not_depend_on_the_part_of_the_data_that_is_asked_for() -> None:
    case = random_case("convolutional", 5, images=20)
    faults = list(random_faults(case, random.Random(0), 9))
    labels, session = np.zeros(20, np.int64), ModuleEngine(rows=8).open(case.subject)
    whole = session.run(case.images, labels, faults, predictions=True)
    part = session.run(case.images[3:17], labels[3:17], faults, predictions=True, first_frame=3, frames=20)
    assert whole.predictions is not None
    assert part.predictions is not None
    np.testing.assert_array_equal(whole.predictions[:, 3:17], part.predictions)


def test_the_random_state_of_the_user_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    case = random_case("attention", 2)
    ModuleEngine().open(case.subject).run(case.images, np.zeros(len(case.images), np.int64), [])
    assert torch.equal(before, torch.random.get_rng_state())
