"""What each kind of fault means, in numbers worked out by hand on a network small enough for that.

``conv0`` has two channels of 2x2 kernels on a 3x3 image of integers 0..255, so a 2x2 output; levels -1, 0, +1, by two
thresholds each. ``conv0.pool`` takes its maximum; ``fc1`` has two classes and weights +1 and -1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest

from fat_fpga.engines.native_engine import NativeEngine
from fat_fpga.engines.reference import execute
from fat_fpga.faults import parse_fault
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, MaxPool, Network

IMAGE = np.array([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]], np.uint8)
WEIGHTS = np.array([[[[1, 0], [0, 1]]], [[[-1, 1], [1, -1]]]], np.int32)
THRESHOLDS = np.array([[8, 12], [0, 1]], np.int32)

# sums of conv0: channel 0 adds the diagonal, 1+5, 2+6, 4+8, 5+9; channel 1 is -1+2+4-5 = 0 everywhere
ACCUMULATORS = [[[6, 8], [12, 14]], [[0, 0], [0, 0]]]
CONV0 = [[[-1, 0], [1, 1]], [[0, 0], [0, 0]]]
POOL = [[[1]], [[0]]]
SCORES = [1, -1]  # fc1: class 0 is 1 - 0, class 1 its opposite


def network() -> Network:
    """The network above."""
    table = np.arange(256, dtype=np.int32)[None]
    final = np.array([[[[1]], [[-1]]], [[[-1]], [[1]]]], np.int32)
    return Network(
        "by hand",
        InputQuantiser((1, 3, 3), table),
        (
            MatrixVectorUnit("conv0", WEIGHTS, THRESHOLDS, Levels(-1, 1, 3), weight_type="INT2"),
            MaxPool("conv0.pool", (2, 2), (1, 1)),
            MatrixVectorUnit("fc1", final, None, None, weight_type="BIPOLAR"),
        ),
    )


class Case(NamedTuple):
    """A fault, and what streams hold under it."""

    fault: str
    streams: Mapping[str, Any]


CASES = (
    Case("conv0/channel[1] = +1", {"conv0": [CONV0[0], [[1, 1], [1, 1]]], "fc1": [0, 0]}),
    Case("conv0/pixel[1,0] = -1", {"conv0": [[[-1, 0], [-1, 1]], [[0, 0], [-1, 0]]]}),
    Case("conv0/element[0,1,1] = -1", {"conv0": [[[-1, 0], [1, -1]], CONV0[1]], "conv0.pool": POOL}),
    Case("conv0/pe[0 of 2] = -1", {"conv0": [[[-1, -1], [-1, -1]], CONV0[1]], "fc1": [-1, 1]}),
    Case("conv0/pe[0 of 1] = +1", {"conv0": [[[1, 1], [1, 1]]] * 2, "fc1": [0, 0]}),
    Case("*/pe[1 of 2] = -1", {"conv0": [CONV0[0], [[-1, -1], [-1, -1]]], "fc1": [2, -2]}),
    Case("conv0.pool/channel[0] = 0", {"conv0": CONV0, "conv0.pool": [[[0]], [[0]]], "fc1": [0, 0]}),
    # the image's centre is 0 instead of 5: sums 1, 8, 12, 9, and 5, -5, -5, 5
    Case("input/pixel[1,1] = 0", {"conv0": [[[-1, 0], [1, 0]], [[1, -1], [-1, 1]]]}),
    # weight 1 is 01 in two bits: bit 0 flipped is 0, bit 1 flipped is -1; weight 0 with bit 1 flipped is -2
    Case("conv0/weight[0,0,0,0].bit[0] ^ 1", {"conv0": [[[-1, -1], [0, 0]], CONV0[1]]}),  # sums 5, 6, 8, 9
    Case("conv0/weight[0,0,0,0].bit[1] ^ 1", {"conv0": [[[-1, -1], [-1, -1]], CONV0[1]]}),  # sums 4, 4, 4, 4
    Case("conv0/weight[0,0,0,1].bit[1] ^ 1", {"conv0": [[[-1, -1], [-1, -1]], CONV0[1]]}),  # sums 2, 2, 2, 2
    Case("conv0/weight[0,0,0,0].bit[0] = 1", {"conv0": CONV0}),  # as it was
    # 8 is 01000: bit 2 flipped is 12, so all sums from 12 on meet both
    Case("conv0/threshold[0,0].bit[2] ^ 1", {"conv0": [[[-1, -1], [1, 1]], CONV0[1]]}),
    # 12 is 01100: bit 3 flipped is 4, below the other one, 8: sums from 4 meet one, from 8 both
    Case("conv0/threshold[0,1].bit[3] ^ 1", {"conv0": [[[0, 1], [1, 1]], CONV0[1]]}),
    # 6, 8, 12, 14 with bit 3 at 0: 6, 0, 4, 6
    Case("conv0/accumulator[0].bit[3] = 0", {"conv0": [[[-1, -1], [-1, -1]], CONV0[1]]}),
    Case("conv0/accumulator[1].bit[0] ^ 1", {"conv0": [CONV0[0], [[1, 1], [1, 1]]]}),  # 0 becomes 1
    # the score 1 is 001 in the three bits of -2..2: with bit 2, the sign, it is -3
    Case("fc1/accumulator[0].bit[2] = 1", {"fc1": [-3, -1]}),
    # 0 is 00: bit 0 flipped is 1; bit 1 flipped is -2, which is no level, and the pool's maximum is not touched
    Case("conv0/activation[1,0,0].bit[0] ^ 1 @ frame[0]", {"conv0": [CONV0[0], [[1, 0], [0, 0]]], "fc1": [0, 0]}),
    Case("conv0/activation[1,0,0].bit[1] ^ 1 @ frame[0]", {"conv0": [CONV0[0], [[-2, 0], [0, 0]]], "fc1": SCORES}),
    Case("conv0.pool/activation[1,0,0].bit[1] ^ 1 @ frame[0]", {"conv0.pool": [[[1]], [[-2]]], "fc1": [3, -3]}),
    Case("conv0/channel[0] = 0 & conv0/element[0,0,0] = -1", {"conv0": [[[-1, 0], [0, 0]], CONV0[1]]}),
    Case("conv0/element[0,0,0] = -1 & conv0/channel[0] = 0", {"conv0": [[[0, 0], [0, 0]], CONV0[1]]}),
    Case("conv0/channel[0] = 0 & conv0.pool/pixel[0,0] = -1", {"conv0.pool": [[[-1]], [[-1]]], "fc1": [0, 0]}),
)


def test_fault_free() -> None:
    streams = execute(network(), IMAGE[None])
    assert streams["conv0"][0].tolist() == CONV0
    assert streams["conv0.pool"][0].tolist() == POOL
    assert streams["fc1"][0].ravel().tolist() == SCORES


@pytest.mark.parametrize("case", CASES, ids=[case.fault for case in CASES])
def test_meaning(case: Case) -> None:
    fault = parse_fault(case.fault)
    assert str(fault) == case.fault
    reference = execute(network(), IMAGE[None], [fault])
    native = NativeEngine(1).open(network()).trace(IMAGE[None], fault)
    for place, expected in case.streams.items():
        shape = reference[place][0].shape
        assert np.array_equal(reference[place][0], np.reshape(expected, shape)), place
        if place in native:
            assert np.array_equal(native[place][0], np.reshape(expected, shape)), place


def test_xnor_accumulators_count_agreeing_bits() -> None:
    """Three bipolar inputs, +1 where a pixel is 200: the register holds (sum + 3) / 2, from 0 to 3, in two bits."""
    table = np.where(np.arange(256) >= 128, 1, -1).astype(np.int32)[None].repeat(3, axis=0)
    weights = np.array([1, 1, -1, -1, -1, 1], np.int32).reshape(2, 3, 1, 1)
    unit = MatrixVectorUnit("fc0", weights, None, None, weight_type="BIPOLAR")
    small = Network("xnor", InputQuantiser((3, 1, 1), table), (unit,))
    image = np.array([200, 200, 0], np.uint8).reshape(1, 3, 1, 1)  # +1 +1 -1: sum 3 for class 0, 3 agree
    scores = {
        "fc0/accumulator[0].bit[0] ^ 1": 1,  # 11 becomes 10: 2 agree, 2 * 2 - 3
        "fc0/accumulator[0].bit[1] = 0": -1,  # 01: 1 agrees
        "fc0/weight[0,1,0,0].bit[0] ^ 1": 1,  # +1 becomes -1
        "fc0/accumulator[0].bit[0] = 1": 3,
    }
    for text, score in scores.items():
        fault = parse_fault(text)
        assert execute(small, image, [fault])["fc0"].ravel().tolist() == [score, -3], text
        assert NativeEngine(1).open(small).trace(image, fault)["fc0"].ravel().tolist() == [score, -3], text
