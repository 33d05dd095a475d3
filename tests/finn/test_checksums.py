"""Checksums against a direct model of FINN's hook, under every folding. These need no FINN."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.checksums import checksum, checksums, register_word, stream_words
from fat_fpga.engines import get
from fat_fpga.faults import places
from tests.designs.random_network import random_images, random_network
from tests.finn.hls_checksum import checksum_hook


@given(st.data())
def test_the_formula_is_the_hook(data: st.DataObject) -> None:
    bits = data.draw(st.sampled_from([1, 2, 3, 8, 13, 23, 24, 32]))
    lanes, beats = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 20))
    if lanes == 1 and bits > 23:
        lanes = 2  # the hook's ap_uint<K*23> cuts a single wide lane off
    words = data.draw(st.lists(st.integers(0, 2**bits - 1), min_size=lanes * beats, max_size=lanes * beats))
    stream = [
        sum(word << lane * bits for lane, word in enumerate(words[b * lanes : (b + 1) * lanes])) for b in range(beats)
    ]
    assert checksum(np.array(words, np.int64), bits) == checksum_hook(stream, lanes, bits)


def test_checksums_do_not_depend_on_the_folding() -> None:
    for seed in range(12):
        network = random_network(seed)
        streams = get("reference").open(network).trace(random_images(network, 2, seed))
        found = checksums(network, streams)
        assert list(found) == list(places(network))
        for place, stream in streams.items():
            words, bits = stream_words(network, place, stream)
            for lanes in (n for n in range(1, stream.shape[1] + 1) if stream.shape[1] % n == 0):
                packed = [
                    [sum(int(word) << lane * bits for lane, word in enumerate(beat)) for beat in frame]
                    for frame in words.reshape(len(words), -1, lanes)
                ]
                assert found[place][0].tolist() == [checksum_hook(frame, lanes, bits) for frame in packed]


def test_one_activation_decides_one_checksum() -> None:
    """One stuck value changes the checksum of its own stream by its weight, and none in front of it."""
    network = random_network(4)
    image = random_images(network, 1)
    streams = get("reference").open(network).trace(image)
    before = checksums(network, streams)
    for place in list(streams)[1:-1]:
        faulty = dict(streams)
        stream = streams[place].copy()
        levels = places(network)[place].levels
        assert levels is not None
        stream[0, -1, 0, 0] = levels.max if stream[0, -1, 0, 0] != levels.max else levels.min
        faulty[place] = stream
        after = checksums(network, faulty)
        assert [p for p in after if after[p][0][0] != before[p][0][0]] == [place]


@pytest.mark.parametrize(("frame", "word"), [(0, 0x00ABCDEF), (1, 0x01ABCDEF), (256, 0x00ABCDEF)])
def test_the_register(frame: int, word: int) -> None:
    assert register_word(0xABCDEF, frame) == word
