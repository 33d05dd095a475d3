"""Processing elements: which channels each takes with it, and what that costs (text)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fat_fpga.campaign import Result, most_critical
from fat_fpga.faults.place import EVERYWHERE
from fat_fpga.reports.part import Part, effects_of
from fat_fpga.reports.words import effect_words
from fat_fpga.text import align, percent

SIDE_BY_SIDE = 4
"""So many stuck values get a column each; more are told by their worst alone."""


@dataclass(frozen=True)
class Pe:
    """One processing element.

    Attributes:
        layer: its unit; where it serves several in turn, their names, or ``*`` for all.
        number, of: PE ``number`` of so many.
        channels: that it computes; None where it serves several layers, where they differ from layer to layer.
        results: its finished faults, values ascending.
    """

    layer: str
    number: int
    of: int
    channels: range | None
    results: tuple[Result, ...]

    @property
    def channels_text(self) -> str:
        """``5, 21, 37, 53``, shortened where they are many; a rule in a loopback architecture."""
        if self.channels is None:
            which = "every layer" if self.layer == EVERYWHERE else "each of these layers"
            return f"c mod {self.of} = {self.number} of {which}"
        if len(self.channels) <= SIDE_BY_SIDE:
            return ", ".join(map(str, self.channels))
        return f"{self.channels[0]}, {self.channels[1]}, .. {self.channels[-1]} ({len(self.channels)})"


def pes(part: Part) -> list[Pe]:
    """The PEs of a part of kind ``pe``, in its order."""
    channels = {layer.name: layer.channels for layer in part.run.layers}
    found: dict[tuple[str, int, int], list[Result]] = {}
    for result in part.results:
        assert result.pe is not None
        assert result.of is not None
        found.setdefault((result.layer, result.pe, result.of), []).append(result)
    return [
        Pe(layer, number, of, range(number, channels[layer], of) if layer in channels else None, tuple(results))
        for (layer, number, of), results in found.items()
    ]


def pe_table(part: Part) -> str:
    """Each PE with its channels and the accuracy under each stuck value."""
    effects = effects_of(part.rows)
    columns = effects if len(effects) <= SIDE_BY_SIDE else []
    rows = [["layer", "PE", "channels", *(columns or ["min", "worst value"])]]
    before = ""
    for pe in pes(part):
        accuracy = {effect_words(r): percent(100 * r.correct / part.run.images) for r in pe.results}
        worst = effect_words(most_critical(pe.results, 1)[0])
        figures = [accuracy.get(effect, "") for effect in columns] or [accuracy[worst], worst.removeprefix("stuck at ")]
        name = "" if pe.layer == before else pe.layer
        rows.append([name, f"{pe.number} of {pe.of}", pe.channels_text, *figures])
        before = pe.layer
    return f"accuracy under each PE [%]\n{align(rows, left=(0, 2))}"


def pe_counts(results: Sequence[Result]) -> str:
    """How many PEs the folding of these faults of one layer has: ``16``, or ``16, 32`` where they differ."""
    return ", ".join(map(str, dict.fromkeys(result.of for result in results)))
