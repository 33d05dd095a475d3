"""A fault built into the user's own graph.

| change | in the graph |
|---|---|
| activations held at a value | ``Mul`` by a mask of 0 and 1, ``Add`` of the value where the mask is 0 |
| bit of a weight | another constant for the product |
| bit of a threshold that the file stores | another constant for the MultiThreshold |
| bit of any other threshold | the file's own level, less one where that was met, plus one where the new one is |
| bit of an accumulator or an activation | back to the integer, its bits by division, and forth again |

Nothing of the file is replaced but the constants named: every node of it computes what it computed before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import onnx

from fat_fpga.engines.exact import FLOAT32
from fat_fpga.engines.integer_nodes import IntegerNodes, Value
from fat_fpga.errors import EngineError
from fat_fpga.faults import Change, Place, places
from fat_fpga.faults.changes import (
    ChangedAccumulators,
    ChangedParameter,
    ChangedThreshold,
    ChangedWeight,
    FlippedActivation,
    HeldActivations,
    changed_words,
    changes_at,
    thresholds_met,
)
from fat_fpga.faults.register import Register
from fat_fpga.network import Network
from fat_fpga.network.lowering.sites import Sites, StreamSite, UnitSite
from fat_fpga.network.operators.threshold_logic import SEARCH, searched

Mask = npt.NDArray[np.bool_]


class FileGraph:
    """A copy of a file's model with changes in it, for as many images as the file takes at once.

    Args:
        base: the model, with the shape of every tensor.
        network, sites: what it lowers to, and where that is in it.
        first_frame: number of the first image, which changes of a single frame refer to.

    Raises:
        EngineError: the file has no place for a change.

    Attributes:
        model: the ONNX model.
        renamed: the input, where what the network reads of it is another tensor.
    """

    def __init__(
        self, base: onnx.ModelProto, network: Network, sites: Sites, changes: Sequence[Change], first_frame: int
    ) -> None:
        self.model = onnx.ModelProto()
        self.model.CopyFrom(base)
        self._sites, self._nodes = sites, IntegerNodes(self.model)
        self.renamed = self._nodes.renamed
        self._network, self._places = network, places(network)
        for place in self._places.values():
            here = [change for change in changes if change.place == place.name]
            if place.unit is not None:
                self._unit(place, here)
            elif place.thresholded is not None:
                self._thresholds(self._sites.units[place.name], place, here)
            for change in here:
                if isinstance(change, ChangedParameter):
                    raise EngineError(
                        f"the file engine changes no {change.memory} of {place.name}: the file has other nodes there"
                    )
                if isinstance(change, HeldActivations):
                    self._held(place, change)
                elif isinstance(change, FlippedActivation) and 0 <= change.frame - first_frame < sites.image.batch:
                    self._flipped(place, change, change.frame - first_frame)

    def _stream(self, place: Place) -> StreamSite:
        if place.name not in self._sites.streams:
            raise EngineError(
                f"the file has no tensor of levels at {place.name}: it has a max-pool in front of its quantiser there, "
                "or stores integers"
            )
        return self._sites.streams[place.name]

    def _unit(self, place: Place, changes: Sequence[Change]) -> None:
        site = self._sites.units[place.name]
        self._weights(site, place, changes_at(changes, place.name, ChangedWeight))
        for change in changes_at(changes, place.name, ChangedAccumulators):
            self._accumulators(site, change)
        self._thresholds(site, place, changes)

    def _thresholds(self, site: UnitSite, place: Place, changes: Sequence[Change]) -> None:
        thresholds = changes_at(changes, place.name, ChangedThreshold)
        if thresholds and site.thresholds is not None:
            self._stored(*site.thresholds, place, thresholds)
        elif thresholds:
            self._counted(site, place, thresholds)

    def _weights(self, site: UnitSite, place: Place, changes: Sequence[ChangedWeight]) -> None:
        assert place.unit is not None
        words = changed_words(changes)
        node = self._nodes.producer(site.tensor)
        if not words or node is None:
            return
        values = site.values.astype(np.float32).copy()
        for index, word in words.items():
            at = site.places == np.ravel_multi_index(index, place.unit.weights.shape)
            values[at] = np.float32(site.sign[index[0]] * word) * site.scale[index[0]]
        node.input[1] = self._nodes.constant(values)

    def _accumulators(self, site: UnitSite, change: ChangedAccumulators) -> None:
        """The sums of one channel, as integers with a bit changed, and back to what they stand for."""
        if max(map(abs, change.register.span)) > FLOAT32:
            raise EngineError(f"{change.place}: its accumulators do not fit in float32, which the file computes in")
        before, (bias, scale) = self._nodes.open(site.tensor), site.affine(change.channel)
        real = self._bit(before, bias, scale, change.register, change.bit, change.to)
        self._nodes.close(before, real, site.channels[None] == change.channel)

    def _stored(
        self, output: str, values: npt.NDArray[np.float32], place: Place, changes: Sequence[ChangedThreshold]
    ) -> None:
        """Other words in the constant that the file keeps thresholds in, its rows in ascending order."""
        node = self._nodes.producer(output)
        assert node is not None
        rows = np.sort(np.broadcast_to(values, (place.shape[0], values.shape[1])), axis=1).copy()
        held = [replace(change, word=_word(float(rows[change.index]), change)) for change in changes]
        words = changed_words(held)
        for index, word in words.items():
            rows[index] = word
        assert place.thresholded is not None
        if place.thresholded.threshold_logic == SEARCH:
            channels = sorted({channel for channel, _ in words})
            rows[channels] = searched(rows[channels])
        node.input[1] = self._nodes.constant(rows)

    def _counted(self, site: UnitSite, place: Place, changes: Sequence[ChangedThreshold]) -> None:
        """The file's own levels, with some thresholds taken out of them and others put in."""
        stream, nodes, levels = self._stream(place), self._nodes, place.levels
        assert levels is not None
        assert place.thresholded is not None
        words = thresholds_met(place.thresholded, changes)
        if site.index.size != stream.index.size:
            raise EngineError(f"{place.name}: in the file a max-pool stands between its sums and its levels")
        before = nodes.open(stream.tensor)
        low, step = stream.scale * (levels.base + stream.shift), stream.scale * levels.step
        old = total = nodes.to_integer(before, low, step)
        sums = nodes.gathered(site.tensor, np.argsort(site.index.ravel())[stream.index.ravel()], stream.index.shape)
        for (channel, number), word in words.items():
            here = (stream.index // (place.shape[1] * place.shape[2]) == channel).astype(np.int64)
            met = nodes.above(nodes.to_integer(sums, *site.affine(channel)), word - 1)
            total = nodes.plus(total, nodes.times(nodes.above(old, number), -here))
            total = nodes.plus(total, nodes.times(met, here))
        nodes.close(before, nodes.to_real(total, low, step), np.ones((1, *stream.index.shape), bool))

    def _held(self, place: Place, change: HeldActivations) -> None:
        if place.name not in self._sites.streams and _whole(change, place):
            # channels that are stuck in front of a pool are stuck behind it
            pools = (self._places[pool.name] for pool in self._network.pools_behind(place.name))
            place = next((other for other in pools if other.name in self._sites.streams), place)
            rows, columns = (range(size) for size in place.shape[1:])
            change = replace(change, rows=rows, columns=columns)
        site, mask = self._stream(place), np.zeros((1, *place.shape), bool)
        mask[0][change.box] = True
        before = self._nodes.open(site.tensor)
        self._nodes.close(before, np.float32(site.scale) * np.float32(change.value + site.shift), _at(site, mask))

    def _flipped(self, place: Place, change: FlippedActivation, image: int) -> None:
        site, mask = self._stream(place), np.zeros((self._sites.image.batch, *place.shape), bool)
        mask[(image, *change.index)] = True
        before = self._nodes.open(site.tensor)
        real = self._bit(before, site.scale * site.shift, site.scale, change.register, change.bit, change.to)
        self._nodes.close(before, real, _at(site, mask))

    def _bit(self, real: Value, bias: float, scale: float, register: Register, bit: int, to: int | None) -> Value:
        """Real values whose words in a register have one bit changed."""
        nodes = self._nodes
        words = nodes.divided(nodes.shifted(nodes.to_integer(real, bias, scale), -register.offset), register.step)
        changed = nodes.with_bit(words, bit, register.signed and bit == register.bits - 1, to)
        return nodes.to_real(nodes.shifted(nodes.times(changed, register.step), register.offset), bias, scale)


def _whole(change: HeldActivations, place: Place) -> bool:
    """Whether all pixels of its channels are held."""
    return (len(change.rows), len(change.columns)) == place.shape[1:]


def _at(site: StreamSite, mask: Mask) -> Mask:
    """A mask [N, C, H, W] in the order of a site's tensor."""
    found: Mask = mask.reshape(len(mask), -1)[:, site.index]
    return found


def _word(threshold: float, change: ChangedThreshold) -> int:
    """What the memory holds of a file's threshold: the next word that means the same, or its last one beyond it."""
    register = change.register
    low, high = (register.offset, -register.offset) if register.step > 1 else register.span
    if not low <= threshold <= high:
        return change.word
    return register.offset + register.step * int(np.ceil((threshold - register.offset) / register.step))
