"""The identity of what faults in memories and registers meet, beyond the function of the network."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np

from fat_fpga.arguments import checked
from fat_fpga.faults.place import places
from fat_fpga.faults.register import (
    accumulator_register,
    activation_register,
    stored_thresholds,
    threshold_register,
    weight_register,
)
from fat_fpga.faults.subject import AnySubject
from fat_fpga.network import Network


@checked
def memory_fingerprint(network: AnySubject) -> str:
    """SHA-256 over the function and over every word, width and sign that a changed bit can meet.

    Two files may compute the same without a fault and differ under a flipped bit: in a threshold that no fault-free sum
    comes near, or in the width of a register. Their `Network.fingerprint` is the same, and this is not.
    """
    return _fingerprint(network) if isinstance(network, Network) else network.memory_fingerprint


@lru_cache(maxsize=8)
def _fingerprint(network: Network) -> str:
    digest = hashlib.sha256(f"fat_fpga memories 1 {network.fingerprint}".encode())
    for place in places(network).values():
        parts: list[object] = [place.name]
        if place.levels is not None:
            parts.append(activation_register(place.levels))
        if place.unit is not None:
            parts += [weight_register(place.unit), accumulator_register(place)]
        if place.thresholded is not None:
            parts.append(threshold_register(place))
            for words in (place.thresholded.thresholds, stored_thresholds(place)):
                digest.update(np.ascontiguousarray(words, dtype="<i4").tobytes())
        digest.update(repr(parts).encode())
    return digest.hexdigest()
