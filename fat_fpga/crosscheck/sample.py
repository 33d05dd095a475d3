"""What a cross-check compares by default: faults of every kind at every place, and random images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np

from fat_fpga.arguments import checked
from fat_fpga.engines.images import Images
from fat_fpga.errors import FaultError
from fat_fpga.faults import MODELS, AnyFault, Fault, FaultSet, FaultSpace, fault_space, places
from fat_fpga.faults.model import Setting
from fat_fpga.faults.place import EVERYWHERE
from fat_fpga.faults.traits import SET
from fat_fpga.network import Network


class _Kinds(Sequence[str]):
    """Made anew each time that it is asked, as packages may add kinds."""

    @overload
    def __getitem__(self, number: int) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[str]: ...
    def __getitem__(self, number: int | slice) -> str | Sequence[str]:
        return (*MODELS, SET)[number]

    def __len__(self) -> int:
        return len(MODELS) + 1


KINDS: Sequence[str] = _Kinds()
"""Every kind, and ``set``, which stands for sets of two or three faults of any kinds."""


def kind_of(fault: AnyFault) -> str:
    """The fault's kind, ``set`` for a set."""
    return fault.kind if isinstance(fault, Fault) else SET


@checked
def any_folding(network: Network) -> dict[str, int]:
    """A folding for want of a real one: of 1, 2, 4 and 8 PEs the largest number that divides each unit's channels."""
    return {unit.name: max(pes for pes in (1, 2, 4, 8) if unit.channels % pes == 0) for unit in network.units}


@checked
def sample_faults(
    network: Network, kinds: Sequence[str], count: int, frames: int, seed: int = 0, pes: dict[str, int] | None = None
) -> list[AnyFault]:
    """Up to ``count`` different faults, kinds and places (the input and pools included) as evenly as they go.

    Args:
        kinds: among `KINDS`.
        frames: number of images.
        pes: PEs of each unit; `any_folding` by default.

    Raises:
        FaultError: an unknown kind.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise FaultError(f"unknown fault kind '{unknown[0]}': known are {', '.join(KINDS)}")
    pes = pes or any_folding(network)
    kinds = [kind for kind in kinds if kind == SET or every_place(network, kind, pes)]
    return [
        fault
        for kind, share in zip(kinds, _shares(count, len(kinds)), strict=True)
        for fault in sample_kind(network, kind, share, frames, seed, pes)
    ]


def sample_kind(
    network: Network, kind: str, count: int, frames: int, seed: int, pes: dict[str, int]
) -> Sequence[AnyFault]:
    """Up to ``count`` different faults of one of `KINDS`, see `sample_faults`."""
    if kind == SET:
        return _sets(network, count, frames, seed, pes)
    names = every_place(network, kind, pes)
    blocks = fault_space(network, kind, names, pes=pes, frames=frames).blocks if names else ()
    shares = np.random.default_rng(seed).permutation(_shares(count, len(blocks)))
    found: list[AnyFault] = []
    for block, share in zip(blocks, shares, strict=True):
        found += FaultSpace([block.narrowed(block.possible or block.effects)]).sample(int(share), seed)
    return found


def every_place(network: Network, kind: str, pes: dict[str, int]) -> list[str]:
    """Every place with faults of a kind, the input, pools, and ``*`` included."""
    setting = Setting(pes, 1)
    found = [
        place.name for place in places(network).values() if MODELS[kind].block(network, place, setting) is not None
    ]
    return [*found, EVERYWHERE] if MODELS[kind].traits.everywhere and found else found


def _shares(count: int, parts: int) -> list[int]:
    """``count`` split into so many parts that differ by one at most."""
    return [count // parts + (part < count % parts) for part in range(parts)]


def _sets(network: Network, count: int, frames: int, seed: int, pes: dict[str, int]) -> list[AnyFault]:
    rng = np.random.default_rng(seed)
    pool = [fault for kind in MODELS for fault in sample_kind(network, kind, 12, frames, seed, pes)]
    sets: dict[str, AnyFault] = {}
    for _ in range(count):
        chosen = rng.permutation(len(pool))[: rng.integers(2, 4)]
        together = FaultSet(tuple(part for i in chosen for part in pool[i].faults))
        sets[str(together)] = together
    return list(sets.values())


@checked
def random_images(network: Network, count: int, seed: int = 0) -> Images:
    """Data that the network takes, [count, C, H, W]: images of which half are noise, half are darker than average;
    integers of its datatype; or real values of which half lie at a step of the input's quantiser."""
    return network.input.random(np.random.default_rng(seed), count)
