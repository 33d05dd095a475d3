"""Foldings that can be built, with copies: what FINN demands, and what copies demand on top.

- C + 2T rows are shared evenly by the PEs.
- Three copies need three PEs at least; copies side by side are then on different ones.
- SIMD lanes divide the input channels of a convolution, or the inputs of a fully connected unit. The voter hands on C
  channels, so this does not change with copies.
"""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.errors import PlanError
from fat_fpga.hardening.costs.model import Built
from fat_fpga.hardening.design import UnitShape
from fat_fpga.network.folding import Fold, divisors


def unrolled(design: Sequence[UnitShape]) -> dict[str, Fold]:
    """The folding without folding: a PE for each output channel, a SIMD lane for each input."""
    return {unit.name: Fold(unit.channels, unit.built_inputs) for unit in design}


def legal_folding(design: Sequence[UnitShape], folds: dict[str, Fold]) -> tuple[dict[str, Fold], list[str]]:
    """The folding with every SIMD filled in, and notes on what was changed to make it one that FINN builds.

    The last unit gets more PEs where its number does not divide the classes (as in BNN-PYNQ's overlays). SIMD lanes
    that a folding does not tell are one.

    Raises:
        PlanError: PEs or SIMD lanes do not divide a unit; the nearest ones that do are named.
    """
    found, notes = {}, []
    for unit in design:
        pe, simd = folds[unit.name]
        if simd is None:
            simd = 1
            notes.append(f"{unit.name}: the folding tells no SIMD lanes, 1 taken")
        if unit is design[-1] and unit.channels % pe:
            more = min(d for d in divisors(unit.channels) if d > pe)
            notes.append(f"{unit.name}: {pe} PEs do not divide its {unit.channels} channels, {more} taken")
            pe = more
        for what, count, whole in (("PEs", pe, unit.channels), ("SIMD lanes", simd, unit.lanes)):
            if whole % count:
                raise PlanError(
                    f"the folding cannot be built: {unit.name} has {count} {what}, which do not divide "
                    f"{'its output channels' if what == 'PEs' else 'its inputs'}, {whole}; "
                    f"nearest: {_nearest(whole, count)}"
                )
        if unit.depthwise and simd > 1 and pe < unit.channels:
            raise PlanError(
                f"the folding cannot be built: {unit.name} is depthwise, it takes more than one SIMD lane only with "
                f"all of its {unit.channels} PEs, got {pe}"
            )
        found[unit.name] = Fold(pe, simd)
    return found, notes


def _nearest(whole: int, count: int) -> str:
    """The divisors next to a number, below and above."""
    below = [d for d in divisors(whole) if d < count][-1:]
    above = [d for d in divisors(whole) if d > count][:1]
    return " or ".join(map(str, below + above))


def ways(unit: UnitShape, simd: int, voted: int) -> list[Built]:
    """Every legal way to build a unit with exactly ``voted`` channels triplicated; SIMD lanes stay."""
    if unit.groups > 1 and voted not in (0, unit.channels):
        return []
    rows = unit.channels + 2 * voted
    pes = [pe for pe in divisors(rows) if pe >= 3 or not voted]
    return [Built(unit, voted, pe, simd) for pe in pes if not (unit.depthwise and simd > 1) or pe == rows]
