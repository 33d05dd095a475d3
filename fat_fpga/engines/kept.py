"""What is expensive to make of a network, kept for the next time: a compiled model, a graph."""

from __future__ import annotations

import atexit
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from fat_fpga.faults import memory_fingerprint
from fat_fpga.network import Network

T = TypeVar("T")


class Kept(Generic[T]):
    """A function of a network that remembers its latest results.

    Networks are told apart by their name, what they compute, what their memories and registers hold
    (`fat_fpga.faults.memory_fingerprint`) and how their hardware finds levels, not by the object: a copy that came to a
    worker process finds what was made of the one before. Errors are not kept.

    Args:
        make: the function; it may take options beside the network.
        size: how many results are remembered.
    """

    def __init__(self, make: Callable[..., T], size: int = 2) -> None:
        self._make, self._size = make, size
        self._found: OrderedDict[tuple[Hashable, ...], T] = OrderedDict()
        self._lock = Lock()
        atexit.register(self._found.clear)  # compiled models go before the module that made them

    def __call__(self, network: Network, *options: Hashable) -> T:
        key = (network.name, memory_fingerprint(network), network.threshold_logic, *options)
        with self._lock:
            if key not in self._found:
                self._found[key] = self._make(network, *options)
            self._found.move_to_end(key)
            while len(self._found) > self._size:
                self._found.popitem(last=False)
            return self._found[key]
