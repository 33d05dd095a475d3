"""The driver of a checksum hook, on a bus that behaves like the block, or does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.board.checksum import ChecksumHook, Reading, digest
from fat_fpga.board.registers import CHECKSUM
from fat_fpga.board.stream import StreamLayout
from fat_fpga.checksums import register_word
from fat_fpga.errors import BoardError
from fat_fpga.faults.register import Register

LAYOUT = StreamLayout(12, 3, 5, 4, Register(2, True))


class FakeHook:
    """Registers of a hook in this layout, through which frames with given checksums pass.

    Attributes:
        on_read: called with the name of each register before it is read.
        deaf: whether commands are ignored.
    """

    def __init__(self, **registers: int) -> None:
        self.registers = {
            "ID": CHECKSUM.identity,
            "VERSION": CHECKSUM.version,
            "LANES": 4,
            "BEATS": 45,
            "BITS": 2,
            **registers,
        }
        self.sums: list[int] = []
        self.in_frame = 0
        self.deaf = False
        self.on_read: Callable[[str], None] = lambda name: None

    def read(self, offset: int = 0) -> int:
        name = next(register.name for register in CHECKSUM.registers if register.offset == offset)
        self.on_read(name)
        held = {
            "FRAMES": len(self.sums),
            "CHECKSUM": register_word(self.sums[-1], len(self.sums) - 1) if self.sums else 0,
            "DIGEST": digest(self.sums),
            "STATUS": self.in_frame,
            **self.registers,
        }
        return held[name]

    def write(self, offset: int, data: int) -> None:
        assert offset == CHECKSUM["CONTROL"].offset
        assert data == CHECKSUM["CONTROL"].mask("CLEAR")
        if not self.deaf:
            self.sums.clear()


SUMS = st.lists(st.integers(0, 2**24 - 1), max_size=40)


@given(SUMS)
def test_the_digest_by_its_definition(sums: list[int]) -> None:
    """Bit by bit: a shift register that bites its own tail, and an adder without a carry out."""
    bits = [0] * 32  # lowest first
    for value in sums:
        bits = [bits[-1], *bits[:-1]]
        carry = 0
        for at in range(32):
            total = bits[at] + (value >> at & 1) + carry
            bits[at], carry = total & 1, total >> 1
    assert digest(sums) == sum(bit << at for at, bit in enumerate(bits))


@given(SUMS.filter(lambda sums: len(sums) > 1), st.data())
def test_the_digest_sees_order_and_each_frame(sums: list[int], data: st.DataObject) -> None:
    assert digest([]) == 0
    at = data.draw(st.integers(0, len(sums) - 1))
    changed = data.draw(st.integers(0, 2**24 - 1).filter(lambda value: value != sums[at]))
    assert digest([*sums[:at], changed, *sums[at + 1 :]]) != digest(sums)
    assert digest([1, 2]) != digest([2, 1])


@given(st.lists(st.integers(0, 2**24 - 1), max_size=300))
def test_what_is_read(sums: list[int]) -> None:
    bus = FakeHook()
    hook = ChecksumHook("fc1", bus, LAYOUT)
    bus.sums = list(sums)
    assert hook.read() == Reading(len(sums), sums[-1] if sums else 0, digest(sums))
    hook.clear()
    assert hook.read() == Reading(0, 0, 0)


@pytest.mark.parametrize("register", ["ID", "VERSION", "LANES", "BEATS", "BITS"])
def test_another_block(register: str) -> None:
    with pytest.raises(BoardError, match=f"checksum of fc1: register {register} holds 0x7 where"):
        ChecksumHook("fc1", FakeHook(**{register: 7}), LAYOUT)


def test_a_hook_that_cannot_be_cleared() -> None:
    bus = FakeHook()
    hook = ChecksumHook("fc1", bus, LAYOUT)
    bus.sums, bus.deaf = [5, 6], True
    with pytest.raises(BoardError, match=r"checksum of fc1: .* still counts 2 frames"):
        hook.clear()


def test_a_frame_on_its_way_is_waited_for() -> None:
    bus = FakeHook()
    hook = ChecksumHook("fc1", bus, LAYOUT)
    bus.in_frame, polls = 1, []

    def ends(name: str) -> None:
        polls.append(name)
        if len(polls) == 7:
            bus.in_frame = 0
            bus.sums.append(0xABCDEF)

    bus.on_read = ends
    assert hook.read() == Reading(1, 0xABCDEF, 0xABCDEF)
    assert polls == ["STATUS"] * 7 + ["FRAMES", "CHECKSUM", "DIGEST", "FRAMES"]


def test_a_stuck_frame() -> None:
    bus = FakeHook()
    hook = ChecksumHook("fc1", bus, LAYOUT)
    bus.in_frame = 1
    with pytest.raises(BoardError, match="checksum of fc1: a frame is stuck half-way through"):
        hook.read()


@pytest.mark.parametrize("when", ["CHECKSUM", "DIGEST"])
def test_frames_that_pass_while_it_is_read(when: str) -> None:
    bus = FakeHook()
    hook = ChecksumHook("fc1", bus, LAYOUT)
    bus.sums = [1, 2, 3]
    bus.on_read = lambda name: bus.sums.append(9) if name == when else None
    with pytest.raises(BoardError, match="counts 3 frames, then 4, and its checksum is of frame"):
        hook.read()


def test_a_wrong_index() -> None:
    bus = FakeHook(CHECKSUM=register_word(1, 5))
    hook = ChecksumHook("fc1", bus, LAYOUT)
    with pytest.raises(BoardError, match=r"counts 0 frames, then 0, and its checksum is of frame 5 \(modulo 256\)"):
        hook.read()


def test_the_digest_of_one_frame_is_its_checksum() -> None:
    hook = FakeHook()
    hook.sums = [0x123456]
    assert ChecksumHook("fc0", hook, LAYOUT).read() == Reading(1, 0x123456, 0x123456)
    hook.registers["CHECKSUM"] = register_word(0x123457, 0)
    with pytest.raises(BoardError, match="a frame has checksum 123457 and digest 00123456"):
        ChecksumHook("fc0", hook, LAYOUT).read()
