"""A processing element stuck at one activation level, under a folding.

A unit with P processing elements computes channel c on PE c mod P (FINN's MVAU; Zahid et al. 2020, section II and
Figure 1), so a broken PE takes the channels {c : c mod P == p} with it. In a loopback architecture one array of
PEs serves every layer in turn: at ``*`` the fault is in all of them; where an array serves some of the layers, the
fault is at these: ``conv2+conv4/pe[5 of 32] = +1``.
"""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.errors import FaultError
from fat_fpga.faults.block import Block
from fat_fpga.faults.changes import Change, HeldActivations
from fat_fpga.faults.fault import Effect, Fault
from fat_fpga.faults.model import Setting
from fat_fpga.faults.pattern import JOIN
from fat_fpga.faults.place import EVERYWHERE, Place, no_levels, place_of, places, tried
from fat_fpga.faults.subject import AnySubject, Subject
from fat_fpga.faults.traits import PE_AXIS, Family, Traits
from fat_fpga.network import Network


class PeStuckAt:
    kind = "pe"
    cause = "a whole PE: all channels that it computes under the folding"
    traits = Traits(Family.BLOCK, "stuck PE", "PEs", axes=(PE_AXIS,), counted_once=True, everywhere=True)

    def block(self, network: AnySubject, place: Place, setting: Setting) -> Block | None:
        if place.unit is None or place.levels is None:
            return None
        if setting.pes is None:
            raise FaultError(f"faults of kind {self.kind} need a folding, the number of PEs of each layer")
        return self._block(place.name, setting.pes[place.name], tried(place.levels))

    def block_of(self, network: AnySubject, fault: Fault) -> Block:
        if fault.of is None:
            raise FaultError(f"{fault}: expected pe[P of N], PE P out of the layer's N")
        if isinstance(network, Subject):
            raise FaultError(f"{fault}: {no_levels(place_of(network, fault.layer))}")
        served = _served(network, fault)
        most = max(place.shape[0] for place in served)
        if not 1 <= fault.of <= most:
            raise FaultError(f"{fault}: {fault.layer} can have 1 to {most} PEs")
        first = served[0].levels
        levels = [
            value
            for value in (() if first is None else tried(first))
            if all(value in (place.levels or ()) for place in served)
        ]
        return self._block(fault.layer, fault.of, levels)

    def changes(self, network: Network, fault: Fault) -> Sequence[Change]:
        assert fault.of is not None
        return [
            HeldActivations(
                place.name,
                range(fault.index[0], place.shape[0], fault.of),
                range(place.shape[1]),
                range(place.shape[2]),
                fault.value,
            )
            for place in _served(network, fault)
        ]

    def _block(self, place: str, pes: int, levels: Sequence[int]) -> Block:
        return Block(place, self.kind, self.traits.axes, (pes,), tuple(map(Effect, levels)), of=pes)


def _served(network: Network, fault: Fault) -> list[Place]:
    """The units that the PE works for, in network order; all with activation levels in a loopback architecture."""
    if fault.layer == EVERYWHERE:
        served = [place for place in places(network).values() if place.unit is not None and place.levels is not None]
        if not served:
            raise FaultError(f"{fault}: {network.name} has no layer whose PEs have activation levels")
        return served
    served = [place_of(network, name) for name in fault.layer.split(JOIN)]
    for place in served:
        if place.unit is None or place.levels is None:
            raise FaultError(f"{fault}: {place.name} is no layer whose PEs have activation levels")
    ordered = sorted({place.name: place for place in served}.values(), key=lambda place: place.position)
    if ordered != served:
        names = JOIN.join(place.name for place in ordered)
        raise FaultError(f"{fault}: expected each layer once, in the order of the network: {names}")
    return served
