"""The finn engine, a judge from the build's own tool: FINN's hardware graph, executed by FINN in Python.

The network is written in FINN form and taken through FINN's transformations up to hardware layers; faults are put in
as the hardware would get them (see `fat_fpga.finn.instrumented`). FINN executes one image at a time: larger batches
silently give wrong results. Slow, and meant for cross-checks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.block import Streams
from fat_fpga.engines.images import Images
from fat_fpga.engines.one_by_one import OneByOne
from fat_fpga.errors import EngineError, FinnError
from fat_fpga.faults import Change
from fat_fpga.finn.instrumented import Context, instrumented
from fat_fpga.network import Network


class FinnSession(OneByOne[Context]):
    """Executes FINN's hardware graph of a network.

    Raises:
        EngineError: FINN cannot build the network.
    """

    images_at_a_time = 1

    def __init__(self, name: str, network: Network) -> None:
        super().__init__(name, network)
        try:
            self._graph = instrumented(network)
        except FinnError as error:
            raise EngineError(f"the finn engine: {error}") from error

    def execute(
        self, images: Images, changes: Sequence[Change], first_frame: int, fault_free: Context | None = None
    ) -> Context:
        golden = self._graph.golden(images[0]) if fault_free is None else fault_free
        return self._graph.faulty(golden, changes)

    def classes(self, state: Context) -> npt.NDArray[np.int32]:
        return np.array([self._graph.prediction(state)], np.int32)

    def streams(self, state: Context) -> Streams:
        return self._graph.streams(state)
