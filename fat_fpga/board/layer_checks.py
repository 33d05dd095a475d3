"""What a board must give out and its checksum blocks hold, judged by the integer network and by each other.

- Without a fault: what comes out for the last image, and its checksum at every block, are those of the network. The
  first block that differs names the layer from which on the board computes something else.
- The digests over all images of a fault-free run are the same each time.
- Under a fault: the digests of all blocks in front of it are those of the fault-free run.
"""

from __future__ import annotations

from collections.abc import Mapping

from fat_fpga.board.checksum import Reading
from fat_fpga.board.description import Description
from fat_fpga.checksums import checksums
from fat_fpga.engines.images import Images
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.errors import BoardError
from fat_fpga.faults import AnyFault
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray

Readings = Mapping[str, Reading]
"""By place, in the order of the streams."""


class LayerChecks:
    """Judges readings for one set of images.

    Args:
        images: uint8 [N, C, H, W].
    """

    def __init__(self, network: Network, description: Description, images: Images) -> None:
        self._order = [stream.place for stream in description.streams]
        self._number = len(images) - 1
        streams = ReferenceEngine().open(network).trace(images[-1:])
        scores = streams[network.scores].ravel()
        self._output = [int(scores.argmax())] if description.labels else scores.tolist()
        self._wanted = {place: int(sums[0]) for place, (sums, _) in checksums(network, streams).items()}
        self._golden: dict[str, int] = {}

    def fault_free(self, outputs: IntArray, readings: Readings) -> None:
        """Judge a run without a fault.

        Args:
            outputs: int32 [N, classes], or the classes int32 [N, 1].

        Raises:
            BoardError: outputs or readings are not those of the network, or the digests not the same as before.
        """
        for place, reading in readings.items():
            if reading.checksum != self._wanted[place]:
                raise BoardError(
                    f"{place}: image {self._number} has checksum {reading.checksum:06x} on the board, "
                    f"{self._wanted[place]:06x} in the network: the board computes something else from this layer on"
                )
        if outputs[-1].tolist() != self._output:
            raise BoardError(
                f"the board gives {outputs[-1].tolist()} for image {self._number}, the network {self._output}: it "
                "computes something else"
            )
        found = {place: reading.digest for place, reading in readings.items()}
        self._same(found, self._golden or found, "the same images, without a fault, gave another digest before")
        self._golden = found

    def under(self, fault: AnyFault, outputs: IntArray, readings: Readings) -> None:
        """BoardError unless everything in front of the fault is as it was without; its outputs may be anything."""
        first = min(self._order.index(part.layer) for part in fault.faults)
        found = {place: readings[place].digest for place in self._order[:first] if place in readings}
        self._same(found, self._golden, f"it lies in front of {fault}, and differs from the run without a fault")

    @staticmethod
    def _same(found: Mapping[str, int], wanted: Mapping[str, int], why: str) -> None:
        for place, digest in found.items():
            if digest != wanted[place]:
                raise BoardError(
                    f"{place}: its checksums have the digest {digest:08x} where {wanted[place]:08x} was expected: {why}"
                )
