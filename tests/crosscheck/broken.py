"""Engines that are wrong, or refuse, on purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from fat_fpga.engines import Outcome, Progress
from fat_fpga.engines.engine import Images, Labels
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray

Streams = dict[str, IntArray]


class BrokenEngine(ReferenceEngine):
    """The reference engine, but for what it is told to spoil.

    Args:
        spoil: changes the streams of a fault in place.
        predict: which fault gets another predicted class for the last image.
        refuses: kinds of fault that it does not take; blind: kinds whose streams it does not show.
    """

    def __init__(
        self,
        spoil: Callable[[AnyFault | None, Streams], None] = lambda fault, streams: None,
        predict: AnyFault | None = None,
        refuses: Sequence[str] = (),
        blind: Sequence[str] = (),
    ) -> None:
        self._spoil, self._predict, self._refuses, self._blind = spoil, predict, refuses, blind

    def run(
        self,
        network: Network,
        images: Images,
        labels: Labels,
        faults: Sequence[AnyFault],
        *,
        predictions: bool = False,
        progress: Progress | None = None,
    ) -> Outcome:
        for fault in faults:
            if fault.kind in self._refuses:
                raise EngineError(f"no {fault.kind} here")
        outcome = super().run(network, images, labels, faults, predictions=True)
        assert outcome.predictions is not None
        table = outcome.predictions.copy()
        for f, fault in enumerate(faults):
            if fault == self._predict:
                table[f, -1] += 1
        return replace(outcome, predictions=table)

    def trace(self, network: Network, images: Images, fault: AnyFault | None = None) -> Streams:
        if fault is not None and fault.kind in self._blind:
            raise EngineError("no windows")
        streams = {place: np.array(stream) for place, stream in super().trace(network, images, fault).items()}
        self._spoil(fault, streams)
        return streams
