"""How a batch of faults goes through a network in PyTorch.

All streams of a block of images are computed once without a fault. Then a batch of faults walks through the network
together, stacked along the image axis, and only what differs is carried along: a row is the stream of one fault on one
image. Rows appear at the place where a fault changes something, and leave as soon as they equal the fault-free
stream. A fault's own weights, thresholds and accumulator bits are computed on its own rows, for the channels
that they concern; all other products are one for the whole stack.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fat_fpga.engines.exact import spans
from fat_fpga.engines.images import Images
from fat_fpga.engines.reference import quantise
from fat_fpga.engines.torch_layers import TorchThresholds, TorchUnit, change_bits, output
from fat_fpga.faults import Change, changed_unit
from fat_fpga.faults.changes import (
    ChangedAccumulators,
    ChangedParameter,
    ChangedThreshold,
    ChangedWeight,
    FlippedActivation,
    HeldActivations,
    changed_parameters,
    changed_thresholds,
    changes_at,
)
from fat_fpga.faults.place import INPUT
from fat_fpga.network import MatrixVectorUnit, Network
from fat_fpga.network.layers import Layer


@dataclass(frozen=True)
class Rows:
    """Streams that differ from the fault-free one.

    Attributes:
        fault: int64 [R], position of the row's fault in the batch.
        image: int64 [R], position of its image in the block.
        values: int32 [R, C, H, W].
    """

    fault: Tensor
    image: Tensor
    values: Tensor


class Walk:
    """A network on a device, and how faults go through it.

    Args:
        changes: every change that is going to be made; they decide which sums float32 holds.
    """

    def __init__(self, network: Network, changes: Sequence[Change], device: torch.device) -> None:
        self.network, self.device = network, device
        self._spans = spans(network, changes)
        self._units = {unit.name: self._unit(unit) for unit in network.units}

    def _unit(self, unit: MatrixVectorUnit) -> TorchUnit:
        return TorchUnit(unit, self._spans[self.network.inputs[unit.name][0]], self.device)

    def streams(self, images: Images) -> dict[str, Tensor]:
        """The fault-free stream at every place, int32 [N, C, H, W], by name in network order."""
        found = {INPUT: torch.tensor(quantise(self.network, images), device=self.device)}
        for layer in self.network.layers:
            read = (found[stream] for stream in self.network.inputs[layer.name])
            found[layer.name] = output(layer, *read, self._units)
        return found

    def faulty(
        self, streams: dict[str, Tensor], changes: Sequence[Sequence[Change]], first_frame: int
    ) -> Iterator[tuple[str, Rows]]:
        """What differs at each place, in network order, under each of a batch of faults.

        Args:
            streams: fault-free, of a block of images that starts with image ``first_frame``.
            changes: of each fault.
        """
        count = len(streams[INPUT])
        frames = range(first_frame, first_frame + count)
        none = torch.empty(0, dtype=torch.int64, device=self.device)
        found: dict[str, Rows] = {}
        for place, layer in ((INPUT, None), *((layer.name, layer) for layer in self.network.layers)):
            fault_free = streams[place]
            behind = Rows(none, none, fault_free[:0])
            arriving: list[Rows] = []
            if layer is not None:
                names = self.network.inputs[place]
                arriving = _aligned([found[name] for name in names], [streams[name] for name in names])
                values = output(layer, *(rows.values for rows in arriving), self._units)
                behind = replace(arriving[0], values=values)
            parts, untouched = [], torch.ones_like(behind.fault, dtype=torch.bool)
            for fault, part in enumerate(changes):
                here = [change for change in part if change.place == place and _in(change, frames)]
                if here:
                    mine = behind.fault == fault
                    untouched &= ~mine
                    out = _whole(behind, mine, fault_free)
                    if layer is not None and (layer.unit or layer.thresholded or layer.parameters):
                        into = _whole(arriving[0], mine, streams[self.network.inputs[place][0]])
                        self._change(layer, here, into, out)
                    _change_stream(here, out, first_frame)
                    numbers = torch.arange(count, device=self.device)
                    parts.append(Rows(torch.full_like(numbers, fault), numbers, out))
            found[place] = _different(_stack(_choose(behind, untouched), parts), fault_free)
            for name in set(self.network.inputs.get(place, ())):
                if self.network.readers[name][-1] == place:
                    del found[name]
            yield place, found[place]

    def scores(self, streams: dict[str, Tensor], changes: Sequence[Sequence[Change]], first_frame: int) -> Rows:
        """The class scores that differ; arguments as of `faulty`."""
        _, rows = deque(self.faulty(streams, changes, first_frame), maxlen=1)[0]
        return rows

    def _change(self, layer: Layer, changes: Sequence[Change], into: Tensor, out: Tensor) -> None:
        """Compute the channels of ``out`` anew that change inside the layer."""
        channels, thresholded = sorted(set(_channels(changes))), layer.thresholded
        if layer.unit is not None:
            self._change_unit(layer.unit, changes, into, out)
        elif channels and layer.parameters:
            out[:, channels] = output(changed_parameters(layer, changes), into, self._units)[:, channels]
        elif channels and thresholded is not None:
            changed = changed_thresholds(thresholded, changes)
            assert changed.thresholds is not None
            part = replace(changed, thresholds=changed.thresholds[channels])
            out[:, channels] = TorchThresholds(part, self.device)(into[:, channels])

    def _change_unit(self, unit: MatrixVectorUnit, changes: Sequence[Change], into: Tensor, out: Tensor) -> None:
        """Compute the channels of ``out`` anew whose weights, thresholds or accumulators are changed."""
        channels = sorted(set(_channels(changes)))
        if not channels:
            return
        changed = changed_unit(unit, changes)
        on_device = self._unit(changed.dense(channels))
        accumulators = on_device.accumulate(into)
        for change in changes_at(changes, unit.name, ChangedAccumulators):
            at = channels.index(change.channel)
            accumulators[:, at] = change_bits(accumulators[:, at], change.register, change.bit, change.to)
        out[:, channels] = on_device.activate(accumulators)


def _aligned(streams: Sequence[Rows], fault_free: Sequence[Tensor]) -> list[Rows]:
    """Streams that a layer reads together: each with the rows that any of them has, in the same order."""
    first, *others = streams
    if not others:
        return [first]
    images = len(fault_free[0])
    keys = [rows.fault * images + rows.image for rows in streams]
    every = torch.unique(torch.cat(keys))
    fault, image = every // images, every % images
    found = []
    for rows, key, stream in zip(streams, keys, fault_free, strict=True):
        values = stream[image]
        values[torch.searchsorted(every, key)] = rows.values
        found.append(Rows(fault, image, values))
    return found


def _channels(changes: Sequence[Change]) -> Iterator[int]:
    """Output channels whose unit is changed."""
    for change in changes:
        if isinstance(change, ChangedWeight | ChangedThreshold | ChangedParameter):
            yield change.index[0]
        elif isinstance(change, ChangedAccumulators):
            yield change.channel


def _change_stream(changes: Sequence[Change], stream: Tensor, first_frame: int) -> None:
    """Make the changes of activations in place, in their order."""
    for change in changes:
        if isinstance(change, HeldActivations):
            stream[(slice(None), *change.box)] = change.value
        elif isinstance(change, FlippedActivation):
            at = (change.frame - first_frame, *change.index)
            stream[at] = change_bits(stream[at], change.register, change.bit, change.to)


def _in(change: Change, frames: range) -> bool:
    """Whether a change concerns any of the images."""
    return not isinstance(change, FlippedActivation) or change.frame in frames


def _whole(rows: Rows, mine: Tensor, fault_free: Tensor) -> Tensor:
    """A fault's stream of every image of the block, of its own memory; ``mine`` are its rows."""
    stream = fault_free.clone()
    stream[rows.image[mine]] = rows.values[mine]
    return stream


def _choose(rows: Rows, which: Tensor) -> Rows:
    return Rows(rows.fault[which], rows.image[which], rows.values[which])


def _stack(rows: Rows, parts: Sequence[Rows]) -> Rows:
    every = (rows, *parts)
    return Rows(
        torch.cat([part.fault for part in every]),
        torch.cat([part.image for part in every]),
        torch.cat([part.values for part in every]),
    )


def _different(rows: Rows, fault_free: Tensor) -> Rows:
    """The rows that differ from the fault-free stream."""
    return _choose(rows, (rows.values != fault_free[rows.image]).flatten(1).any(1))
