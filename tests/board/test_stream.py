"""Activations in the bits of a stream."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.board.stream import StreamLayout
from fat_fpga.errors import BoardError
from fat_fpga.faults.register import Register, activation_register
from tests.designs.random_network import LEVELS


@st.composite
def layouts(draw: st.DrawFn) -> StreamLayout:
    lanes, folds, height, width = (draw(st.integers(1, 5)) for _ in range(4))
    return StreamLayout(lanes * folds, height, width, lanes, activation_register(draw(st.sampled_from(LEVELS))))


@given(layouts(), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_every_value_stands_where_the_rtl_looks(layout: StreamLayout, frames: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = layout.register.span
    possible = np.arange(low, high + 1, layout.register.step, dtype=np.int32)
    values = rng.choice(possible, (frames, layout.channels, layout.height, layout.width))
    packed = layout.pack(values)
    assert packed.shape == (frames, layout.beats, layout.beat_bytes)
    assert np.array_equal(layout.unpack(packed), values)
    n, c, y, x = (int(rng.integers(size)) for size in values.shape)
    beat = (y * layout.width + x) * layout.folds + c // layout.lanes
    word = int.from_bytes(packed[n, beat].tobytes(), "little") >> (c % layout.lanes) * layout.register.bits
    assert word & (1 << layout.register.bits) - 1 == layout.word(int(values[n, c, y, x]))


def test_what_does_not_fit() -> None:
    with pytest.raises(BoardError, match="cannot carry 3 a beat"):
        StreamLayout(4, 1, 1, 3, Register(1, False))
    layout = StreamLayout(4, 1, 1, 2, Register(1, False, -1, 2))
    for value in (-3, 0, 3):
        with pytest.raises(BoardError, match="does not fit"):
            layout.word(value)
    with pytest.raises(BoardError, match=r"takes frames of \[4, 1, 1\], got \[4, 1, 2\]"):
        layout.pack(np.ones((1, 4, 1, 2), np.int32))
