"""Several engines on the same images, and what they show under some faults, number by number."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from fat_fpga.crosscheck.batches import Batch
from fat_fpga.crosscheck.result import NO_FAULT, Difference, Found, Pair, Refusal
from fat_fpga.engines import Engine, Session
from fat_fpga.engines.block import Streams
from fat_fpga.engines.images import Images
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray


def _nobody(done: int) -> None:
    """Watches no progress."""


class Comparison:
    """Engines that are to be compared. It can be pickled; sessions are opened where they are needed.

    Args:
        images: uint8 [N, C, H, W].
        engines: two or more, by name.
    """

    def __init__(self, network: Network, images: Images, engines: Mapping[str, Engine]) -> None:
        self._network, self._images, self.engines = network, images, dict(engines)
        self._sessions: dict[str, Session | EngineError] = {}

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_sessions": {}}

    def with_threads(self, threads: int) -> Comparison:
        """The same, on so many threads of the CPU."""
        engines = {name: engine.with_threads(threads) for name, engine in self.engines.items()}
        return Comparison(self._network, self._images, engines)

    def steps(self, batch: Batch) -> int:
        """What the calls of ``progress`` sum up to."""
        return 2 * len(self.engines) * len(batch.faults)

    def compare(self, batch: Batch, progress: Callable[[int], object] = _nobody) -> Found:
        """Compare the engines under each fault of a batch, but for those that an engine refuses one by one, as a board
        does.

        Args:
            progress: called with the number of faults that one engine has run, or traced, since the last call.
        """
        found = Found([Pair(names) for names in combinations(self.engines, 2)], [], dict.fromkeys(self.engines, 0.0))
        faults = self._possible(batch, found)
        progress(self.steps(batch) - 2 * len(self.engines) * len(faults))
        if faults:
            self._compare_all(batch._replace(faults=faults), found, progress)
        return found

    def _possible(self, batch: Batch, found: Found) -> list[AnyFault | None]:
        """Those faults that no engine refuses; the others are noted."""
        faults = list(batch.faults)
        for name in self.engines:
            with self._asked(name, batch.kind, 0, False, found, note=False):
                session = self._session(name)
                reasons = [None if fault is None else session.refuses(fault) for fault in faults]
                if refused := [reason for reason in reasons if reason is not None]:
                    words = f"the first: {refused[0]}"
                    found.refusals.append(Refusal(name, batch.kind, len(refused), False, words, some=True))
                faults = [fault for fault, reason in zip(faults, reasons, strict=True) if reason is None]
        return faults

    def _compare_all(self, batch: Batch, found: Found, progress: Callable[[int], object]) -> None:
        kind, faults = batch
        tables: dict[str, npt.NDArray[np.int32]] = {}
        for name in self.engines:
            with self._asked(name, kind, len(faults), False, found):
                tables[name] = self._predictions(name, faults)
            progress(len(faults))
        for f, fault in enumerate(faults):
            streams: dict[str, Streams] = {}
            for name in self.engines:
                if name in tables:
                    with self._asked(name, kind, 1, True, found):
                        streams[name] = self._session(name).trace(self._images, fault)
                progress(1)
            for pair in found.pairs:
                first, second = pair.engines
                if first in tables and second in tables:
                    shown = streams.get(first, {}), streams.get(second, {})
                    self._compare(pair, fault, (tables[first][f], tables[second][f]), shown)

    @contextmanager
    def _asked(
        self, name: str, kind: str, faults: int, streams: bool, found: Found, note: bool = True
    ) -> Iterator[None]:
        """Time an engine, and note what it refuses."""
        start = time.perf_counter()
        try:
            yield
        except EngineError as error:
            if note:
                found.refusals.append(Refusal(name, kind, faults, streams, str(error)))
        finally:
            found.seconds[name] += time.perf_counter() - start

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
            try:
                self._sessions[name] = self.engines[name].open(self._network)
            except EngineError as error:
                self._sessions[name] = error
        session = self._sessions[name]
        if isinstance(session, EngineError):
            raise session
        return session

    def _predictions(self, name: str, faults: Sequence[AnyFault | None]) -> npt.NDArray[np.int32]:
        """int32 [F, N] by one engine."""
        labels = np.zeros(len(self._images), np.int64)
        real = [fault for fault in faults if fault is not None]
        outcome = self._session(name).run(self._images, labels, real, predictions=True)
        assert outcome.predictions is not None
        return outcome.predictions if real else outcome.golden[None]


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
