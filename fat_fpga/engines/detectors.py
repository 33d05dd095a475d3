"""Detectors that hardware has beside the network: what tells of a fault without knowing the right answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import EngineError
from fat_fpga.faults import places
from fat_fpga.network import Network

if TYPE_CHECKING:
    from fat_fpga.engines.session import Streams


class Detector(Protocol):
    """Something that fires on an image."""

    def needs(self, network: Network) -> list[str]:
        """The places whose streams it looks at; empty where the network has nothing that it could watch."""

    def fires(self, network: Network, streams: Streams) -> npt.NDArray[np.bool_]:
        """Whether it fires, for each image [N]."""


class Voter:
    """A voter that sees its three copies differ (the sticky counters of the voter in hardware)."""

    def needs(self, network: Network) -> list[str]:
        return list(network.voted_units.values())

    def fires(self, network: Network, streams: Streams) -> npt.NDArray[np.bool_]:
        fired = np.zeros(len(streams[network.scores]), np.bool_)
        for unit in network.voted_units.values():
            vote = network.vote_behind(unit)
            assert vote is not None
            a, b, c = (streams[unit][:, copies] for copies in vote.sources.T)
            fired |= ((a != b) | (a != c)).any(axis=(1, 2, 3))
        return fired


class Range:
    """A monitor at each stream that knows its activation levels, and fires where a value is none of them."""

    def needs(self, network: Network) -> list[str]:
        return [place.name for place in places(network).values() if place.levels is not None]

    def fires(self, network: Network, streams: Streams) -> npt.NDArray[np.bool_]:
        fired = np.zeros(len(streams[network.scores]), np.bool_)
        for place in places(network).values():
            if place.levels is not None:
                known = np.isin(streams[place.name], np.array(place.levels.values))
                fired |= ~known.reshape(len(fired), -1).all(axis=1)
        return fired


DETECTORS: Mapping[str, Detector] = {"voter": Voter(), "range": Range()}
"""Every detector by name."""


def check_detectors(names: Sequence[str], network: Network) -> None:
    """EngineError for a detector that the network has no place for."""
    for name in names:
        if not DETECTORS[name].needs(network):
            raise EngineError(f"the detector '{name}' has nothing to watch in {network.name}: it has no {name}")
