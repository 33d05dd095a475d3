"""What a board gives out and its blocks hold, judged by the integer network.

- Without a fault: the outputs of all images, their digest at every checksum block, and the last image's checksum.
- Under a fault: what every saboteur counts; the digest at all blocks in front of the fault and at its place; and its
  outputs and checksums at every block, as the integer network gives them: of all images where the kernels are compiled,
  else of the last one.
- What was received is what left the board, where a checksum block is in that stream.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fat_fpga.board.accelerator import Held
from fat_fpga.board.checksum import Reading, digest
from fat_fpga.board.description import Description
from fat_fpga.board.foretold import Foretold
from fat_fpga.board.injection import Injection
from fat_fpga.board.saboteur import channel_settings, settings
from fat_fpga.checksums import frame_checksums, stream_words
from fat_fpga.engines.images import Images
from fat_fpga.errors import BoardError
from fat_fpga.faults import AnyFault
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray

Readings = Mapping[str, Reading]
"""By place, in the order of the streams."""
Order = npt.NDArray[np.intp]
"""The numbers of the images in the order in which they were sent, [N]; each once."""


class LayerChecks:
    """Judges what a board does with one set of images.

    Args:
        images: uint8 [N, C, H, W].
    """

    def __init__(self, network: Network, description: Description, images: Images) -> None:
        self._network, self._description = network, description
        self._order = [stream.place for stream in description.streams]
        self._layouts = {stream.place: stream.layout for stream in description.streams}
        self.foretold = Foretold(network, description, images)
        self._digests: dict[tuple[str, int], int] = {}

    def counts(self, injection: Injection) -> dict[str, Held]:
        """What each saboteur must count while all images pass once; None where that is not foretold."""
        found: dict[str, Held] = {}
        first = self._first(injection)
        for number, stream in enumerate(self._description.streams):
            if stream.saboteur is not None:
                fault = injection.saboteurs.get(stream.place)
                armed = settings(stream.layout, fault)
                known = fault is None or number == first
                changes = self.foretold.changes(stream.place, armed) if known else None
                found[stream.place] = self.foretold.hits(stream.place, armed), changes
        return found

    def fault_free(self, order: Order, outputs: IntArray, readings: Readings) -> None:
        """Judge a run without a fault.

        Args:
            outputs: int32 [N, classes], or the classes int32 [N, 1], in the order in which the images were sent.

        Raises:
            BoardError: they, or the readings, are not those of the network.
        """
        last, wanted = int(order[-1]), self.foretold.outputs[order]
        for place, reading in readings.items():
            if reading.checksum != (sum_ := int(self.foretold.sums[place][last])):
                raise BoardError(
                    f"{place}: image {last} has checksum {reading.checksum:06x} on the board, {sum_:06x} in the "
                    "network: the board computes something else from this layer on"
                )
        for place, reading in readings.items():
            why = "an image before the last is another one from this layer on, without a fault"
            self._same(place, reading, self._golden(place, order), why)
        for row in np.flatnonzero((outputs != wanted).any(axis=1))[:1]:
            raise BoardError(
                f"the board gives {outputs[row].tolist()} for image {order[row]}, the network {wanted[row].tolist()}: "
                "it computes something else"
            )

    def under(self, fault: AnyFault, injection: Injection, order: Order, outputs: IntArray, readings: Readings) -> None:
        """Judge a run under a fault, as far as it is foretold; arguments and errors as for ``fault_free``."""
        first = self._first(injection)
        for place in self._order[:first]:
            if place in readings:
                why = f"it lies in front of {fault}, and differs from the run without a fault"
                self._same(place, readings[place], self._golden(place, order), why)
        place = self._order[first]
        if place in readings and (sums := self._held_sums(place, injection)) is not None:
            self._same(place, readings[place], digest(sums[order].tolist()), f"that is where {fault} acts")
        self._check_received(outputs, readings)
        self._check_foretold(fault, order, outputs, readings)

    def _check_foretold(self, fault: AnyFault, order: Order, outputs: IntArray, readings: Readings) -> None:
        """All images, or the last one, as the integer network computes them under the fault."""
        numbers = order if self.foretold.complete else order[-1:]
        wanted, sums = self.foretold.under(fault, numbers, readings)
        for place, reading in readings.items():
            if reading.checksum != sums[place][-1]:
                raise BoardError(
                    f"{place}: under {fault}, image {order[-1]} has checksum {reading.checksum:06x} on the board, "
                    f"{int(sums[place][-1]):06x} in the network"
                )
            if self.foretold.complete:
                why = f"an image before the last is another one from this layer on, under {fault}"
                self._same(place, reading, digest(sums[place].tolist()), why)
        found = outputs[-len(numbers) :]
        for row in np.flatnonzero((found != wanted).any(axis=1))[:1]:
            raise BoardError(
                f"under {fault}, the board gives {found[row].tolist()} for image {numbers[row]}, "
                f"the network {wanted[row].tolist()}"
            )

    def _check_received(self, outputs: IntArray, readings: Readings) -> None:
        """What was received is what passed the last checksum block."""
        place = self._description.summed_output
        if place is None:
            return
        words, bits = stream_words(self._network, place, outputs[:, :, None, None])
        found = digest(frame_checksums(words, bits).tolist())
        if found != readings[place].digest:
            raise BoardError(
                f"{place}: what was received has the digest {found:08x}, what left the board "
                f"{readings[place].digest:08x}: a transfer brought something else"
            )

    def _first(self, injection: Injection) -> int:
        """The number of the first stream in which a fault acts; of all streams without one."""
        places = {*injection.saboteurs, *injection.thresholds}
        return min((self._order.index(place) for place in places), default=len(self._order))

    def _held_sums(self, place: str, injection: Injection) -> npt.NDArray[np.int64] | None:
        layout = self._layouts[place]
        if place in injection.saboteurs:
            return self.foretold.held_sums(place, [settings(layout, injection.saboteurs[place])])
        channels = injection.thresholds[place]
        return self.foretold.held_sums(place, [channel_settings(layout, c, value) for c, value in channels.items()])

    def _golden(self, place: str, order: Order) -> int:
        """The digest of a stream without a fault."""
        key = place, int(order[0])
        if key not in self._digests:
            self._digests[key] = digest(self.foretold.sums[place][order].tolist())
        return self._digests[key]

    @staticmethod
    def _same(place: str, reading: Reading, wanted: int, why: str) -> None:
        if reading.digest != wanted:
            raise BoardError(
                f"{place}: its checksums have the digest {reading.digest:08x} where {wanted:08x} was expected: {why}"
            )
