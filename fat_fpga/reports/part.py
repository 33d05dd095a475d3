"""One kind of fault in a run: what tables and figures are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fat_fpga.campaign import Group, Result, Run, Spread, statistics
from fat_fpga.campaign.origin import SETS
from fat_fpga.campaign.statistics import effect_order
from fat_fpga.reports.words import effect_words, words

MANY = 16
"""More levels than this in one layer, or more combinations of layers, are taken together."""
BITS_AT_MOST = 1000
"""Bits are never taken together: each of them is another place in the hardware."""


@dataclass(frozen=True, eq=False)
class Row:
    """Faults that share a line of a table: a layer and an effect, in words."""

    layer: str
    effect: str
    results: tuple[Result, ...]
    run: Run

    @cached_property
    def spread(self) -> Spread:
        return Spread.within(self.run, self.results)


@dataclass(frozen=True, eq=False)
class Part:
    """The finished faults of one kind, at least one, layers in network order."""

    run: Run
    kind: str
    groups: tuple[Group, ...]

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """In the order of the run."""
        return tuple(result for result in self.run.results if result.kind == self.kind)

    @cached_property
    def accuracy(self) -> npt.NDArray[np.float64]:
        """Accuracy under each fault in percent, [F]."""
        return 100 * np.array([result.correct for result in self.results]) / self.run.images

    @cached_property
    def layers(self) -> list[str]:
        """The layers that occur, in network order."""
        return list(dict.fromkeys(map(self.layer_of, self.results)))

    def layer_of(self, result: Result) -> str:
        """The layer, or ``all`` where sets of faults join layers in many ways."""
        return "all" if self._many_sets else result.layer

    @cached_property
    def _many_sets(self) -> bool:
        return self.kind.startswith(SETS) and len({result.layer for result in self.results}) > MANY

    @cached_property
    def rows(self) -> list[Row]:
        """Layer by layer the effects in their order; of levels, one row for all where there are more than ``MANY``."""
        return self._rows(BITS_AT_MOST if words(self.kind).bits else MANY)

    @cached_property
    def lanes(self) -> list[Row]:
        """The same for figures: one row for each layer where all layers together have more than ``MANY`` effects."""
        return self.rows if len({row.effect for row in self.rows}) <= MANY else self._rows(0)

    def _rows(self, most: int) -> list[Row]:
        layers: dict[str, list[Group]] = {layer: [] for layer in self.layers}
        for group in self.groups:
            layers[self.layer_of(group.results[0])].append(group)
        rows = []
        for layer, own in layers.items():
            if len(own) <= most:
                rows += [Row(layer, effect_words(group.results[0]), group.results, self.run) for group in own]
            else:
                together = tuple(result for group in own for result in group.results)
                rows.append(Row(layer, "any effect", together, self.run))
        return rows

    @cached_property
    def effects(self) -> list[str]:
        """The effects of ``lanes``, in order."""
        return effects_of(self.lanes)

    @cached_property
    def shades(self) -> list[int]:
        """For each fault the place of its effect in ``effects``, [F]."""
        found = {id(result): self.effects.index(row.effect) for row in self.lanes for result in row.results}
        return [found[id(result)] for result in self.results]


def effects_of(rows: Sequence[Row]) -> list[str]:
    """The effects that occur in any of the rows, in order."""
    first = {row.effect: row.results[0] for row in reversed(rows)}
    return sorted(first, key=lambda effect: effect_order(first[effect]))


def parts(run: Run) -> list[Part]:
    """One part for each kind that has a finished fault, in the order of the documentation."""
    groups: dict[str, list[Group]] = {}
    for group in statistics(run):
        groups.setdefault(group.kind, []).append(group)
    return [Part(run, kind, tuple(own)) for kind, own in groups.items()]
