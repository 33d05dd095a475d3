"""Fault spaces: all faults of a kind in a network, counted and drawn from without going through them."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import overload

from fat_fpga.arguments import checked
from fat_fpga.errors import FaultError, ModelError
from fat_fpga.faults.block import Block
from fat_fpga.faults.fault import Effect, Fault
from fat_fpga.faults.model import Setting
from fat_fpga.faults.pattern import JOIN
from fat_fpga.faults.place import EVERYWHERE, places
from fat_fpga.faults.registry import MODELS, default_kind, fault_model
from fat_fpga.faults.subject import AnySubject, Subject
from fat_fpga.faults.traits import SET
from fat_fpga.faults.words import no_words


class FaultSpace(Sequence[Fault]):
    """Faults by number, in network order; nothing is made before it is asked for.

    Attributes:
        blocks: one for each place (and kind, if there are several).
    """

    def __repr__(self) -> str:
        return f"<FaultSpace: {len(self):,} faults>"

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.blocks = tuple(block for block in blocks if len(block))
        self._ends = list(accumulate(map(len, self.blocks)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, number: int) -> Fault: ...
    @overload
    def __getitem__(self, number: slice) -> list[Fault]: ...
    def __getitem__(self, number: int | slice) -> Fault | list[Fault]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        number = range(len(self))[number]
        block = bisect_right(self._ends, number)
        return self.blocks[block].fault(number - (self._ends[block] - len(self.blocks[block])))

    def __iter__(self) -> Iterator[Fault]:
        for block in self.blocks:
            yield from map(block.fault, range(len(block)))

    def sample(self, count: int, seed: int = 0) -> list[Fault]:
        """``count`` different faults, each as likely as any other, in the space's order; all of them if there are no
        more than that."""
        if count >= len(self):
            return list(self)
        return [self[number] for number in sorted(random.Random(seed).sample(range(len(self)), count))]

    def __add__(self, other: FaultSpace) -> FaultSpace:
        return FaultSpace((*self.blocks, *other.blocks))


@checked
def fault_space(
    network: AnySubject,
    kind: str | None = None,
    layers: Sequence[str] | None = None,
    effects: Sequence[Effect] | None = None,
    pes: dict[str, int] | None = None,
    frames: int | None = None,
) -> FaultSpace:
    """Every fault of one kind, place by place in network order.

    Args:
        kind: name of a fault model; by default that of a campaign.
        layers: only these places. By default the units and voters: the input, pools, ``*`` (the PEs of a loopback
            architecture) or ``conv2+conv4`` (those of an array that serves some layers), and for pixels streams of a
            single one have to be named.
        effects: only these; by default every level, or the flip of every bit.
        pes: PEs of each unit by name; see `fat_fpga.network.read_folding`. Needed for faults of PEs.
        frames: number of images; needed for transients.

    Raises:
        FaultError: an unknown kind, a place without faults of the kind, or something needed is missing.
        ModelError: the network has no such layer.
    """
    kind = kind or default_kind(network)
    model, setting = fault_model(kind), Setting(pes, frames, named=layers is not None)
    if model.traits.needs_frames and not frames:
        raise FaultError(f"faults of kind {kind} last for one image: the number of images is needed")
    known = places(network)
    if layers is None:
        layers = [place.name for place in known.values() if place.enumerated]
        blocks = [model.block(network, known[name], setting) for name in layers]
        found = [block for block in blocks if block is not None]
        check_in_hardware(network, kind)
    else:
        order = [*known, EVERYWHERE]
        for name in (part for wanted in layers for part in wanted.split(JOIN)):
            if name not in order and isinstance(network, Subject):
                raise ModelError(network.unknown(name))
            if name not in order:
                raise ModelError(f"unknown layer '{name}': {network.name} has {', '.join(known)}")
        ordered = sorted(set(layers), key=lambda name: (order.index(name.split(JOIN)[0]), name))
        found = [_named(network, kind, name, setting) for name in ordered]
    return FaultSpace(found if effects is None else [block.narrowed(effects) for block in found])


def check_in_hardware(network: AnySubject, kind: str) -> None:
    """FaultError where the hardware of every layer has no words of a kind of fault, and another one would have."""
    if kind == SET:
        return
    model, setting = fault_model(kind), Setting(frames=1)
    if not model.traits.stored:
        return
    reasons = [no_words(model.traits.words, place) for place in places(network).values()]
    if any(reasons) and all(model.block(network, place, setting) is None for place in places(network).values()):
        raise FaultError(f"{network.name} has no faults of kind {kind} at any layer: {next(filter(None, reasons))}")


def _named(network: AnySubject, kind: str, name: str, setting: Setting) -> Block:
    """The block of a place that was asked for by name; FaultError if it has no such faults."""
    if name == EVERYWHERE or JOIN in name:
        return _shared(network, kind, name, setting)
    model, known = fault_model(kind), places(network)
    block = model.block(network, known[name], setting)
    if block is None:
        possible = [place.name for place in known.values() if model.block(network, place, setting) is not None]
        choice = f"choose among {', '.join(possible)}" if possible else f"{network.name} has none at all"
        why = no_words(model.traits.words, known[name])
        raise FaultError(f"layer '{name}' has no faults of kind {kind}: {f'{why}; ' if why else ''}{choice}")
    return block


def _shared(network: AnySubject, kind: str, name: str, setting: Setting) -> Block:
    """The faults of a PE array that serves layers in turn: it has as many PEs as the layer with the most."""
    if not fault_model(kind).traits.everywhere:
        able = ", ".join(model.kind for model in MODELS.values() if model.traits.everywhere)
        raise FaultError(f"'{name}' stands for the PEs of a loopback architecture, and takes faults of kind {able}")
    if setting.pes is None:
        raise FaultError(f"faults of kind {kind} need a folding, the number of PEs of each layer")
    units = [place.name for place in places(network).values() if place.unit is not None and place.levels is not None]
    pes = max((setting.pes.get(unit, 1) for unit in (units if name == EVERYWHERE else name.split(JOIN))), default=1)
    return fault_model(kind).block_of(network, Fault(name, kind, (0,), 0, of=pes))
