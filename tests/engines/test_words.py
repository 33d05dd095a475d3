"""Several faults in one memory word: all bits act on it together, in the order given, in every engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fat_fpga.engines import get
from fat_fpga.faults import Fault, FaultSet, fault_space, parse_fault
from fat_fpga.faults.fault import FLIP, STUCK_BIT
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, Network
from tests.designs.random_network import random_images, random_network

ENGINES = ("reference", "native", "torch", "qonnx")


def network_of(weight: int) -> Network:
    """One pixel times a weight of four bits, compared with 20; then one score for each level."""
    first = MatrixVectorUnit(
        "fc0", np.full((1, 1, 1, 1), weight, np.int32), np.array([[20]], np.int32), Levels(0, 1, 2), weight_type="INT4"
    )
    last = MatrixVectorUnit("fc1", np.array([-1, 1], np.int32).reshape(2, 1, 1, 1), None, None)
    return Network("word", InputQuantiser((1, 1, 1), np.arange(256, dtype=np.int32)[None]), (first, last))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("weight", "faults", "sum_"),
    [
        (1, "bit[0] = 0, bit[1] ^ 1", 20),  # 0001 -> 0000 -> 0010: 2 x 10
        (1, "bit[1] ^ 1, bit[0] = 0", 20),
        (1, "bit[1] ^ 1, bit[1] = 0", 10),  # flipped, then held: as it was
        (1, "bit[1] = 0, bit[1] ^ 1", 30),  # held, then flipped
        (3, "bit[3] ^ 1, bit[2] = 1", -10),  # 1111
        (-8, "bit[3] = 0, bit[0] = 1, bit[1] = 1", 30),  # 0011
    ],
)
def test_bits_of_a_weight(engine: str, weight: int, faults: str, sum_: int) -> None:
    fault = parse_fault(" & ".join(f"fc0/weight[0,0,0,0].{part}" for part in faults.split(", ")))
    image = np.full((1, 1, 1, 1), 10, np.uint8)
    found = get(engine).open(network_of(weight)).trace(image, fault)
    assert found["fc0"].item() == (sum_ >= 20)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("faults", "met"),
    [
        ("bit[4] ^ 1, bit[1] = 1", True),  # 20 = 10100 -> 00100 -> 00110: 6
        ("bit[4] = 0, bit[3] ^ 1", False),  # 00100 -> 01100: 12
        ("bit[2] ^ 1, bit[4] ^ 1, bit[2] = 1", True),  # 4
    ],
)
def test_bits_of_a_threshold(engine: str, faults: str, met: bool) -> None:
    fault = parse_fault(" & ".join(f"fc0/threshold[0,0].{part}" for part in faults.split(", ")))
    found = get(engine).open(network_of(1)).trace(np.full((1, 1, 1, 1), 10, np.uint8), fault)
    assert found["fc0"].item() == met


def same_word(network: Network, kind: str, count: int, seed: int) -> list[FaultSet]:
    """Sets of two to four different faults of one word each, in random order."""
    rng, found = np.random.default_rng(seed), []
    space = fault_space(network, kind, frames=2 if kind == "activation" else None)
    for fault in space.sample(count, seed):
        block = next(b for b in space.blocks if b.place == fault.layer)
        effects = [FLIP] if kind == "activation" else [FLIP, *STUCK_BIT]
        chosen: dict[Fault, None] = {}
        for _ in range(int(rng.integers(2, 5))):
            value, flip = effects[int(rng.integers(len(effects)))]
            chosen[replace(fault, bit=int(rng.integers(block.bits or 1)), value=value, flip=flip)] = None
        found.append(FaultSet(tuple(chosen)))
    return found


@pytest.mark.parametrize("kind", ["weight", "threshold", "accumulator", "activation"])
def test_random_sets_of_one_word(kind: str) -> None:
    pairs = 0
    for seed in range(12):
        network = random_network(seed)
        images, labels = random_images(network, 2, seed), np.zeros(2, np.int64)
        faults = same_word(network, kind, 12, seed)
        expected, *others = (get(name).open(network).run(images, labels, faults, predictions=True) for name in ENGINES)
        for name, outcome in zip(ENGINES[1:], others, strict=True):
            np.testing.assert_array_equal(outcome.predictions, expected.predictions, f"{name}, network {seed}")
        pairs += len(faults)
    assert pairs >= 100
