"""What the benches stream: activations of random networks, as the reference engine computes them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from fat_fpga.board.stream import StreamLayout
from fat_fpga.engines.reference import execute
from fat_fpga.faults import AnyFault, Fault, MODELS
from fat_fpga.faults.model import Setting
from fat_fpga.faults.place import Place, place_of, places
from fat_fpga.faults.register import activation_register
from fat_fpga.network import MajorityVote, Network
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


def vote_of(seed: int) -> tuple[Network, MajorityVote, Place]:
    """A random network with a vote, and the place in front of it."""
    for number in range(seed * 1000, seed * 1000 + 1000):
        network = random_network(number)
        for front, layer in zip(network.layers, network.layers[1:], strict=False):
            if isinstance(layer, MajorityVote) and 1 < layer.channels:
                place = place_of(network, front.name)
                if place.shape[0] <= 80 and place.shape[1] * place.shape[2] <= MOST_BEATS // 8:
                    return network, layer, place
    raise AssertionError("no network with a vote")


def case() -> dict[str, Any]:
    """What the test that started the simulator wants to be run."""
    loaded: dict[str, Any] = json.loads(os.environ["FAT_CASE"])
    return loaded
