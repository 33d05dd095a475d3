"""What the benches stream: activations of random networks, as the reference engine computes them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.board.stream import StreamLayout
from fat_fpga.checksums import checksum, stream_words
from fat_fpga.engines.reference import execute
from fat_fpga.faults import MODELS, AnyFault, Fault
from fat_fpga.faults.model import Setting
from fat_fpga.faults.place import Place, place_of, places
from fat_fpga.faults.register import activation_register
from fat_fpga.network import MajorityVote, MatrixVectorUnit, Network
from fat_fpga.network.layers import IntArray
from tests.designs.random_network import random_images, random_network

FRAMES = 3
MOST_BEATS = 400
"""Beats of a frame: a bench simulates some ten thousand cycles a second."""


def divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]


@dataclass(frozen=True)
class Stream:
    """A stream of a random network: the place in front of the block under test, and some images."""

    network: Network
    place: Place
    layout: StreamLayout
    images: Any

    def values(self, faults: list[AnyFault], place: str = "") -> IntArray:
        """The stream under faults, [N, C, H, W], by the reference engine; at this place or another one."""
        return execute(self.network, self.images, faults)[place or self.place.name]

    def beats(self, values: IntArray) -> list[int]:
        """The frames as the bench sends them."""
        return to_integers(self.layout, values)

    def fault(self, kind: str, rng: np.random.Generator) -> Fault:
        """A random fault of a kind at this place."""
        setting = Setting(pes={self.place.name: self.layout.lanes})
        block = MODELS[kind].block(self.network, self.place, setting)
        assert block is not None
        fault = block.fault(int(rng.integers(len(block))))
        assert isinstance(fault, Fault)
        return fault


def to_integers(layout: StreamLayout, values: IntArray) -> list[int]:
    """Activations [N, C, H, W] as beats, lowest lane in the lowest bits."""
    data = layout.pack(values).reshape(-1, layout.beat_bytes)
    return [int.from_bytes(beat.tobytes(), "little") for beat in data]


def stream_of(seed: int, lanes: str) -> Stream:
    """A stream of the random network ``seed``; ``lanes`` is ``few``, ``some`` or ``all`` channels a beat."""
    rng = np.random.default_rng(seed)
    for number in range(seed * 1000, seed * 1000 + 1000):
        network = random_network(number)
        found = [place for place in places(network).values() if place.levels is not None and place.unit is not None]
        fitting = [p for p in found if p.shape[1] * p.shape[2] <= MOST_BEATS // 4 and p.shape[1] * p.shape[2] > 1]
        if fitting:
            place = fitting[int(rng.integers(len(fitting)))]
            assert place.levels is not None
            channels, height, width = place.shape
            legal = [d for d in divisors(channels) if channels // d * height * width <= MOST_BEATS]
            chosen = {"few": legal[0], "some": legal[len(legal) // 2], "all": legal[-1]}[lanes]
            layout = StreamLayout(channels, height, width, chosen, activation_register(place.levels))
            return Stream(network, place, layout, random_images(network, FRAMES, seed))
    raise AssertionError("no network with a fitting stream")


@dataclass(frozen=True)
class Vote:
    """A unit with copied channels and its vote.

    Attributes:
        front: the stream of physical channels; behind: the stream of voted ones.
        sources: int32 [C, 3].
    """

    front: Stream
    behind: StreamLayout
    vote: str
    sources: IntArray


def vote_of(seed: int, structure: str) -> Vote:
    """A random unit with copies, all rows in any order.

    Args:
        structure: ``whole``: any folding on both sides; ``lanes``: the copies of each output beat stand in one input
            beat, at the same lanes in every beat; ``mixed``: so, but at other lanes in each beat; ``none``: no copies.
    """
    rng = np.random.default_rng(seed)
    for number in range(seed * 1000, seed * 1000 + 1000):
        network = random_network(number)
        position = next((i for i, layer in enumerate(network.layers[:-1]) if _fits(network, i)), None)
        if position is not None:
            unit = network.layers[position]
            assert isinstance(unit, MatrixVectorUnit)
            lanes_out = int(rng.choice([d for d in divisors(unit.channels) if 1 < d <= unit.channels // 2]))
            rows, lanes_in, lanes_out = _rows(structure, unit.channels, lanes_out, rng)
            sources = np.array([(np.flatnonzero(rows == c).tolist() * 3)[:3] for c in range(unit.channels)], np.int32)
            assert unit.thresholds is not None
            copied = replace(unit, weights=unit.weights[rows], thresholds=unit.thresholds[rows])
            vote = MajorityVote(f"{unit.name}.vote", sources)
            layers = (*network.layers[:position], copied, vote, *network.layers[position + 1 :])
            hardened = Network("hardened", network.input, layers)
            place = place_of(hardened, unit.name)
            assert place.levels is not None
            register = activation_register(place.levels)
            _, height, width = place.shape
            front = StreamLayout(len(rows), height, width, lanes_in, register)
            behind = StreamLayout(unit.channels, height, width, lanes_out, register)
            images = random_images(hardened, FRAMES, seed)
            return Vote(Stream(hardened, place, front, images), behind, vote.name, sources)
    raise AssertionError("no network with a fitting unit")


def _fits(network: Network, position: int) -> bool:
    unit, behind = network.layers[position : position + 2]
    if not isinstance(unit, MatrixVectorUnit) or isinstance(behind, MajorityVote):
        return False
    _, height, width = network.shapes[position]
    return 4 <= unit.channels <= 70 and len(divisors(unit.channels)) > 3 and height * width <= 25


def _rows(structure: str, channels: int, lanes_out: int, rng: np.random.Generator) -> tuple[IntArray, int, int]:
    """The output channel of each physical one, and how many go in a beat in front and behind."""
    if structure in ("whole", "none"):
        copies = np.where(rng.random(channels) < (0.4 if structure == "whole" else 0), 3, 1)
        rows = rng.permutation(np.repeat(np.arange(channels), copies))
        return rows, int(rng.choice(divisors(len(rows)))), lanes_out
    parts = []
    for fold in range(channels // lanes_out):
        if fold == 0 or structure == "mixed":
            copied = rng.permutation(lanes_out)[: max(1, lanes_out // 3)]
            beat = rng.permutation(np.concatenate([np.arange(lanes_out), copied, copied]))
        parts.append(beat + fold * lanes_out)
    return np.concatenate(parts), len(beat), lanes_out


@dataclass(frozen=True)
class Words:
    """Frames of unsigned words, as a checksum hook sees them.

    Attributes:
        frames: int64 [N, values], in the stream's order.
        lanes: values a beat.
        bits: of a value.
    """

    frames: npt.NDArray[np.int64]
    lanes: int
    bits: int

    def beats(self, frame: npt.NDArray[np.int64]) -> list[int]:
        """A frame as the bench sends it."""
        return [
            sum(word << lane * self.bits for lane, word in enumerate(beat))
            for beat in frame.reshape(-1, self.lanes).tolist()
        ]

    def checksums(self) -> list[int]:
        """Of each frame."""
        return [checksum(frame, self.bits) for frame in self.frames]


def words_of(case: Mapping[str, Any]) -> Words:
    """Random words of ``lanes``, ``beats`` and ``bits``, and the largest ones; or a ``network``'s stream as `stream_of`
    finds it."""
    if "network" in case:
        stream = stream_of(case["seed"], case["network"])
        words, bits = stream_words(stream.network, stream.place.name, stream.values([]))
        found = Words(words, stream.layout.lanes, bits)
        assert [beat for frame in words for beat in found.beats(frame)] == stream.beats(stream.values([]))
        return found
    values = case["lanes"] * case["beats"]
    words = np.random.default_rng(case["seed"]).integers(0, 1 << case["bits"], (FRAMES, values), dtype=np.int64)
    words = np.concatenate([words, np.full((1, values), (1 << case["bits"]) - 1)])
    return Words(words, case["lanes"], case["bits"])


def case() -> dict[str, Any]:
    """What the test that started the simulator wants to be run."""
    loaded: dict[str, Any] = json.loads(os.environ["FAT_CASE"])
    return loaded
