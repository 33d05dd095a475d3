"""Run several engines on the same faults and images, and compare every number that two of them show."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from fat_fpga.arguments import checked
from fat_fpga.crosscheck.result import NO_FAULT, CrossCheck, Difference, Pair, Refusal
from fat_fpga.crosscheck.sample import kind_of
from fat_fpga.engines import Engine, Session
from fat_fpga.engines.images import Images
from fat_fpga.engines.session import Streams
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault, check_faults
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray


@checked
def crosscheck(
    network: Network,
    images: Images,
    faults: Sequence[AnyFault],
    engines: Mapping[str, Engine],
    progress: Callable[[int], object] | None = None,
) -> CrossCheck:
    """Compare engines on the fault-free network and under each fault.

    Each engine runs all faults of a kind together, as in a campaign, for the predictions; then it traces
    them one by one, for the streams.

    Args:
        images: uint8 [N, C, H, W].
        engines: two or more, by name.
        progress: called with the number of faults that one engine has run, or traced, since the last call; they sum up
            to `steps`.

    Raises:
        EngineError: there are fewer than two engines.
        FaultError: a fault does not exist.
    """
    if len(engines) < 2:
        raise EngineError(f"a cross-check needs two different engines at least, got {', '.join(engines) or 'none'}")
    check_faults(network.fault_free, faults, len(images))
    check = _Check(network, images, engines, progress or (_nobody))
    check.group(NO_FAULT, [None])
    for kind in dict.fromkeys(map(kind_of, faults)):
        check.group(kind, check.possible(kind, [fault for fault in faults if kind_of(fault) == kind]))
    return CrossCheck(len(images), tuple(check.pairs), tuple(check.refusals), check.seconds)


def steps(faults: int, engines: int) -> int:
    """What the calls of ``progress`` sum up to."""
    return 2 * engines * (faults + 1)


class _Check:
    """What has been compared so far."""

    def __init__(
        self, network: Network, images: Images, engines: Mapping[str, Engine], progress: Callable[[int], object]
    ) -> None:
        self._network, self._images, self._engines, self._progress = network, images, engines, progress
        self._sessions: dict[str, Session] = {}
        self.pairs = [Pair(names) for names in combinations(engines, 2)]
        self.refusals: list[Refusal] = []
        self.seconds = dict.fromkeys(engines, 0.0)

    def possible(self, kind: str, faults: list[AnyFault]) -> list[AnyFault]:
        """Those of the faults of one kind that no engine refuses one by one, as a board does; the others are noted."""
        asked = len(faults)
        for name, session in self._sessions.items():
            reasons = [session.refuses(fault) for fault in faults]
            if found := [reason for reason in reasons if reason is not None]:
                self.refusals.append(Refusal(name, kind, len(found), False, f"the first: {found[0]}"))
            faults = [fault for fault, reason in zip(faults, reasons, strict=True) if reason is None]
        self._progress(2 * len(self._engines) * (asked - len(faults)))
        return faults

    def group(self, kind: str, faults: Sequence[AnyFault | None]) -> None:
        """Compare faults of one kind; ``[None]`` stands for the fault-free network."""
        if not faults:
            return
        tables: dict[str, npt.NDArray[np.int32]] = {}
        for name in self._engines:
            with self._asked(name, kind, len(faults), streams=False):
                tables[name] = self._predictions(name, faults)
            self._progress(len(faults))
        showing = set(tables)  # engines that show streams under this kind
        for f, fault in enumerate(faults):
            streams: dict[str, Streams] = {}
            for name in self._engines:
                if name in showing:
                    with self._asked(name, kind, len(faults) - f, streams=True):
                        streams[name] = self._session(name).trace(self._images, fault)
                self._progress(1)
            showing &= set(streams)
            for pair in self.pairs:
                first, second = pair.engines
                if first in tables and second in tables:
                    shown = streams.get(first, {}), streams.get(second, {})
                    self._compare(pair, fault, (tables[first][f], tables[second][f]), shown)

    @contextmanager
    def _asked(self, name: str, kind: str, faults: int, streams: bool) -> Iterator[None]:
        """Time an engine, and note what it refuses."""
        start = time.perf_counter()
        try:
            yield
        except EngineError as error:
            self.refusals.append(Refusal(name, kind, faults, streams, str(error)))
        finally:
            self.seconds[name] += time.perf_counter() - start

    def _compare(
        self, pair: Pair, fault: AnyFault | None, predictions: tuple[IntArray, IntArray], shown: tuple[Streams, Streams]
    ) -> None:
        """Compare two engines under one fault: predictions int32 [N], and the streams that both show."""
        places = [place for place in shown[0] if place in shown[1]]
        difference = _first_difference(predictions, [(p, shown[0][p], shown[1][p]) for p in places])
        if difference is not None:
            difference = replace(difference, fault=NO_FAULT if fault is None else str(fault))
        activations = sum(shown[0][place].size for place in places)
        pair.add(int(fault is not None), len(self._images), activations, difference)

    def _session(self, name: str) -> Session:
        """The session of an engine; EngineError, each time, where it cannot execute the network."""
        if name not in self._sessions:
            self._sessions[name] = self._engines[name].open(self._network)
        return self._sessions[name]

    def _predictions(self, name: str, faults: Sequence[AnyFault | None]) -> npt.NDArray[np.int32]:
        """int32 [F, N] by one engine."""
        labels = np.zeros(len(self._images), np.int64)
        real = [fault for fault in faults if fault is not None]
        outcome = self._session(name).run(self._images, labels, real, predictions=True)
        assert outcome.predictions is not None
        return outcome.predictions if real else outcome.golden[None]


def _nobody(done: int) -> None:
    """Watches no progress."""


def _first_difference(
    predictions: tuple[IntArray, IntArray], streams: Sequence[tuple[str, IntArray, IntArray]]
) -> Difference | None:
    """The first image that differs, and on it the first stream; the fault is left out."""
    unequal = [(a != b).reshape(len(a), -1).any(axis=1) for a, b in (predictions, *(s[1:] for s in streams))]
    images = np.flatnonzero(np.any(unequal, axis=0))
    if not len(images):
        return None
    image = int(images[0])
    for place, a, b in streams:
        found = np.argwhere(a[image] != b[image])
        if len(found):
            channel, row, column = (int(part) for part in found[0])
            at = (image, channel, row, column)
            return Difference("", image, place, at[1:], (int(a[at]), int(b[at])))
    return Difference("", image, None, None, (int(predictions[0][image]), int(predictions[1][image])))
