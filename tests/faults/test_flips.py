"""Flips as words are the single faults of the same pattern, those of one word together."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fat_fpga.faults import Pattern, parse_fault, singles
from fat_fpga.faults.flips import all_flips, flips_of
from fat_fpga.faults.parts import Part, parts_of
from fat_fpga.faults.singles import FLIPPED, singles_of
from tests.designs.random_network import random_network


def parts(text: str, seed: int = 0) -> list[Part]:
    pattern = parse_fault(text)
    assert isinstance(pattern, Pattern)
    return parts_of(random_network(seed), pattern)


@given(st.integers(0, 40), st.floats(-4, 0), st.integers(0, 9), st.integers(0, 9), st.booleans())
def test_flips_are_the_single_ones(seed: int, log_rate: float, first: int, images: int, each: bool) -> None:
    assume(len(random_network(seed).layers) > 1)  # else there is no activation
    bit = "*" if each else "0"
    own = parts(f"*/activation[*].bit[{bit}] ^ 1 ~ {10**log_rate!r} @ sample[{seed}]", seed)
    assert all_flips(own)
    frames = range(first, first + images)
    for part, found, expected in zip(own, flips_of(own, frames), singles_of(own, frames), strict=True):
        assert expected.frames is not None
        assert expected.bits is not None
        assert (expected.to == FLIPPED).all()
        masks: dict[tuple[int, int], int] = defaultdict(int)
        for frame, word, one in zip(expected.frames, expected.words, expected.bits, strict=True):
            masks[int(frame) - first, int(word)] ^= 1 << int(one)
        words = list(zip(found.images.tolist(), found.words.tolist(), strict=True))
        assert words == sorted(masks), str(part.block)
        assert found.masks.tolist() == [masks[word] for word in words]


def test_in_small_lots(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn does not depend on how much is drawn together."""
    own = parts("*/activation[*].bit[*] ^ 1 ~ 0.05 @ sample[1]")
    before = [part.masks.tolist() for part in flips_of(own, range(4))]
    assert sum(map(len, before)) > 10
    monkeypatch.setattr(singles, "MOST_TOGETHER", 1)
    assert [part.masks.tolist() for part in flips_of(own, range(4))] == before


@pytest.mark.parametrize(
    "text", ["*/activation[*].bit[*] = 1", "*/activation[*] = uniform", "*/weight[*].bit[*] ^ 1", "*/activation[*] = 0"]
)
def test_what_is_no_flip_of_each_image(text: str) -> None:
    assert not all_flips(parts(f"{text} ~ 0.01 @ sample[0]"))
