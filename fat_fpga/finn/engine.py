"""The finn engine, a judge from the build's own tool: FINN's hardware graph, executed by FINN in Python.

The network is written in FINN form and taken through FINN's transformations up to hardware layers; faults are put in
as the hardware would get them (see `fat_fpga.finn.instrumented`). FINN executes one image at a time: with more it
gives wrong numbers without a word. Slow, and meant for cross-checks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fat_fpga.engines.engine import Images, Labels, Outcome, Progress, check_images, outcome_of
from fat_fpga.errors import EngineError, FinnError
from fat_fpga.faults import AnyFault, changes_of, check_faults
from fat_fpga.finn.instrumented import Instrumented, instrumented
from fat_fpga.finn.setup import prepare
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray


class FinnEngine:
    """Raises EngineError at once where FINN is not installed."""

    name = "finn"

    def __init__(self) -> None:
        try:
            prepare()
        except FinnError as error:
            raise EngineError(f"the finn engine: {error}") from error

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
        check_images(network, images, labels)
        check_faults(network, faults, len(images))
        graph, changes = _graph(network), [changes_of(network, [fault]) for fault in faults]
        golden = np.empty(len(images), np.int32)
        table = np.empty((len(faults), len(images)), np.int32)
        for n, image in enumerate(images):
            context = graph.golden(image)
            golden[n] = graph.prediction(context)
            for f, change in enumerate(changes):
                table[f, n] = graph.prediction(graph.faulty(context, change))
            if progress:
                progress(n + 1)
        return outcome_of(golden, table, labels, predictions)

    def trace(self, network: Network, images: Images, fault: AnyFault | None = None) -> dict[str, IntArray]:
        faults = [] if fault is None else [fault]
        check_faults(network, faults, len(images))
        graph, changes = _graph(network), changes_of(network, faults)
        streams = [graph.streams(graph.faulty(graph.golden(image), changes)) for image in images]
        return {place: np.concatenate([of_image[place] for of_image in streams]) for place in streams[0]}


def _graph(network: Network) -> Instrumented:
    try:
        return instrumented(network)
    except FinnError as error:
        raise EngineError(f"the finn engine: {error}") from error
