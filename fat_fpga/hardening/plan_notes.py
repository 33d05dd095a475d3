"""Notes of a plan: what was rounded up or changed, and where its figures come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fat_fpga.hardening.costs.model import Built
from fat_fpga.hardening.plan import CHANNEL
from fat_fpga.hardening.plan_costs import slowest

if TYPE_CHECKING:
    from fat_fpga.hardening.planner import Planner


def notes_of(planner: Planner, built: Sequence[Built], forced: Mapping[str, int]) -> tuple[str, ...]:
    """The planner's own notes, those of each unit, of the rate, and of the sources.

    Args:
        built: the units of the plan.
        forced: channels, or PEs, of each unit that had to be triplicated.
    """
    notes = list(planner.notes)
    if planner.criticality.kind == CHANNEL and planner.model.folded:
        for one in built:
            notes += _unit_notes(one, planner.folds[one.unit.name].pe, forced.get(one.unit.name, 0))
    return (*notes, *_rate_notes(planner, built), *source_notes(planner, built))


def _unit_notes(one: Built, pe: int, asked: int) -> list[str]:
    name, notes = one.unit.name, []
    if one.voted > asked:
        channels = "1 channel" if asked == 1 else f"{asked} channels"
        notes.append(
            f"{name}: {channels} asked, {one.voted} triplicated so that {one.rows} rows divide by {one.pe} PEs at this "
            "price"
        )
    if one.pe != pe:
        notes.append(f"{name}: {one.pe} {'PE' if one.pe == 1 else 'PEs'} instead of {pe}")
    return notes


def _rate_notes(planner: Planner, built: Sequence[Built]) -> list[str]:
    """What stands between units and is slower than all of them."""
    if not planner.between:
        return []
    last = max(planner.between, key=lambda one: one.cycles)
    if last.cycles <= slowest(built):
        return []
    rate = f", {planner.clock * 1e6 / last.cycles:,.0f} frames a second" if planner.clock else ""
    return [f"{last.name}: {last.what} of {last.cycles:,} cycles, more than any unit: no faster than that{rate}"]


def source_notes(planner: Planner, built: Sequence[Built]) -> list[str]:
    """Where the figures of units come from; nothing for figures that are counted by definition."""
    return [f"LUTs, BRAM_18K, DSP of {_names(names, built)}: {source}"
            for source, names in planner.model.sources(built).items()]  # fmt: skip


def _names(names: Sequence[str], built: Sequence[Built]) -> str:
    return "all units" if len(names) == len(built) else ", ".join(names)
