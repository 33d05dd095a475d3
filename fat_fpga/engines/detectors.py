"""Detectors that hardware has beside the network: what tells of a fault without knowing the right answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault, Pattern, places
from fat_fpga.faults.expand import count_words
from fat_fpga.network import Network

if TYPE_CHECKING:
    from fat_fpga.engines.block import Streams


class Detector(Protocol):
    """Something that fires on an image."""

    def watches(self, network: Network) -> bool:
        """Whether the network has anything that it could watch."""

    def needs(self, network: Network) -> list[str]:
        """The places whose streams it looks at."""

    def fires(self, network: Network, streams: Streams, fault: AnyFault | None) -> npt.NDArray[np.bool_]:
        """Whether it fires, for each image [N], from the streams and the fault as it was asked for."""


class Voter:
    """A voter that sees its three copies differ (the sticky counters of the voter in hardware)."""

    def watches(self, network: Network) -> bool:
        return bool(network.voted_units)

    def needs(self, network: Network) -> list[str]:
        return list(network.voted_units.values())

    def fires(self, network: Network, streams: Streams, fault: AnyFault | None) -> npt.NDArray[np.bool_]:
        fired = np.zeros(len(streams[network.scores]), np.bool_)
        for unit in network.voted_units.values():
            vote = network.vote_behind(unit)
            assert vote is not None
            a, b, c = (streams[unit][:, copies] for copies in vote.sources.T)
            fired |= ((a != b) | (a != c)).any(axis=(1, 2, 3))
        return fired


class Range:
    """A monitor at each stream that knows its activation levels, and fires where a value is none of them."""

    def watches(self, network: Network) -> bool:
        return True

    def needs(self, network: Network) -> list[str]:
        return [place.name for place in places(network).values() if place.levels is not None]

    def fires(self, network: Network, streams: Streams, fault: AnyFault | None) -> npt.NDArray[np.bool_]:
        fired = np.zeros(len(streams[network.scores]), np.bool_)
        for place in places(network).values():
            if place.levels is not None:
                known = place.levels.hold(streams[place.name])
                fired |= ~known.reshape(len(fired), -1).all(axis=1)
        return fired


class Ecc:
    """The code of protected memories, which tells of a word that it cannot correct, in every image."""

    def watches(self, network: Network) -> bool:
        return True

    def needs(self, network: Network) -> list[str]:
        return []

    def fires(self, network: Network, streams: Streams, fault: AnyFault | None) -> npt.NDArray[np.bool_]:
        told = isinstance(fault, Pattern) and count_words(network.fault_free, fault).detected > 0
        return np.full(len(streams[network.scores]), told)


VOTER, RANGE, ECC = "voter", "range", "ecc"
DETECTORS: Mapping[str, Detector] = {VOTER: Voter(), RANGE: Range(), ECC: Ecc()}
"""Every detector by name."""


def check_detectors(names: Sequence[str], network: Network) -> None:
    """EngineError for a detector that the network has no place for."""
    for name in names:
        if not DETECTORS[name].watches(network):
            raise EngineError(f"the detector '{name}' has nothing to watch in {network.name}: it has no {name}")
