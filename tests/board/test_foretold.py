"""What the integer network foretells of a saboteur, against counting in the streams of the reference engine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fat_fpga.board import foretold
from fat_fpga.board.description import Description, StreamPlace
from fat_fpga.board.foretold import Foretold
from fat_fpga.board.registers import SETTINGS, SIGNATURE_SEED
from fat_fpga.board.saboteur import NO_FAULT, channel_settings, settings, signature
from fat_fpga.board.stream import StreamLayout
from fat_fpga.checksums import checksum
from fat_fpga.engines.reference import execute
from fat_fpga.faults import MODELS, Fault, parse_fault
from fat_fpga.faults.model import Setting
from fat_fpga.faults.place import places
from fat_fpga.faults.register import activation_register
from fat_fpga.network import Network
from tests.board.fake import describe, small_network
from tests.designs.random_network import random_images, random_network

KINDS = ("channel", "pixel", "element", "pe")
WORDS = st.fixed_dictionaries({name: st.integers(0, 2**32 - 1) for name in SETTINGS})


def described(network: Network, rng: np.random.Generator) -> Description:
    """A saboteur in each stream that has levels, in any folding."""
    streams: list[StreamPlace] = []
    for layer in network.layers[:-1]:
        place = places(network)[layer.name]
        assert place.levels is not None
        channels, height, width = place.shape
        lanes = int(rng.choice([d for d in range(1, channels + 1) if channels % d == 0]))
        layout = StreamLayout(channels, height, width, lanes, activation_register(place.levels))
        streams.append(StreamPlace(layer.name, layout, place.levels, saboteur=len(streams)))
    layout = streams[0].layout  # neither input nor output is looked at
    return Description("random", network.fingerprint, network.input.shape, [], layout, layout, tuple(streams))


def held_beats(fault: Fault, layout: StreamLayout) -> int:
    """Beats of a frame in which a fault holds anything, one by one."""
    found = 0
    for row in range(layout.height):
        for column in range(layout.width):
            for fold in range(layout.folds):
                channels = range(fold * layout.lanes, (fold + 1) * layout.lanes)
                here = fault.kind == "pe" or fault.kind == "pixel" or fault.index[0] in channels
                found += here and (fault.kind not in ("pixel", "element") or fault.index[-2:] == (row, column))
    return found


@given(st.integers(0, 400), st.sampled_from(KINDS), st.integers(0, 2**31))
def test_counts_and_checksums_of_random_networks(number: int, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(number)
    assume(len(network.layers) > 1)
    description = described(network, rng)
    images = random_images(network, int(rng.integers(1, 8)), number)
    told = Foretold(network, description, images)
    stream = description.streams[int(rng.integers(len(description.streams)))]
    place, layout = places(network)[stream.place], stream.layout
    block = MODELS[kind].block(network, place, Setting(pes={stream.place: layout.lanes}))
    if block is None or not len(block):
        return
    fault = block.fault(int(rng.integers(len(block))))
    assert isinstance(fault, Fault)
    golden, faulty = (layout.words(execute(network, images, faults)[stream.place]) for faults in ([], [fault]))
    armed = settings(layout, fault)
    assert told.hits(stream.place, armed) == len(images) * held_beats(fault, layout)
    assert told.changes(stream.place, armed) == (golden != faulty).any(axis=2).sum()
    sums = told.held_sums(stream.place, [armed])
    assert sums is not None
    assert sums.tolist() == [checksum(frame.ravel(), layout.register.bits) for frame in faulty]
    assert told.hits(stream.place, NO_FAULT) == told.changes(stream.place, NO_FAULT) == 0
    nothing = told.held_sums(stream.place, [])
    assert nothing is not None
    assert nothing.tolist() == told.sums[stream.place].tolist()


def test_several_channels_of_one_stream() -> None:
    network = small_network()
    description, images = describe(network), random_images(network, 9, 2)
    told, layout = Foretold(network, description, images), description.streams[0].layout
    faults = [parse_fault("fc0/channel[3] = -1"), parse_fault("fc0/channel[6] = +1")]
    words = layout.words(execute(network, images, faults)["fc0"])
    found = told.held_sums("fc0", [channel_settings(layout, 3, -1), channel_settings(layout, 6, 1)])
    assert found is not None
    assert found.tolist() == [checksum(frame.ravel(), layout.register.bits) for frame in words]


def test_what_is_too_large_is_not_foretold(monkeypatch: pytest.MonkeyPatch) -> None:
    network = small_network()
    description, images = describe(network), random_images(network, 9, 2)
    armed = channel_settings(description.streams[0].layout, 3, -1)
    monkeypatch.setattr(foretold, "KEPT", 9 * 16 - 1)  # two streams of eight bytes
    told = Foretold(network, description, images)
    assert told.held_sums("fc0", [armed]) is None
    assert told.changes("fc0", armed) is not None
    monkeypatch.setattr(foretold, "LEVELS", 2)
    told = Foretold(network, description, images)
    assert told.changes("fc0", armed) is None
    assert told.changes("fc0", NO_FAULT) == 0


@given(WORDS, st.sampled_from(list(SETTINGS)), st.integers(0, 31))
def test_the_signature_bit_by_bit(words: dict[str, int], name: str, bit: int) -> None:
    """Each bit of a setting is in one bit of the signature, so that one that flips is seen."""
    wanted = SIGNATURE_SEED
    for setting, shift in SETTINGS.items():
        for number in range(32):
            if words[setting] >> number & 1:
                wanted ^= 1 << (number + shift) % 16
    assert signature(words) == wanted
    flipped = signature({**words, name: words[name] ^ 1 << bit})
    assert flipped ^ wanted == 1 << (bit + SETTINGS[name]) % 16
