"""Collecting the layers of a network in the order in which its nodes are met, and naming them in their final order.

Layers are finished when something reads them, which in a graph of branches is not the order in which they begin. They
come out in the order of their first nodes, and numbers in names follow that: so a network that is written and read
again has the same names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fat_fpga.network.layers import Layer
from fat_fpga.network.lowering.sites import Sites
from fat_fpga.network.program import INPUT


@dataclass(frozen=True)
class Name:
    """A name for now: ``text`` is unique, but its number may change.

    Attributes:
        word: ``conv``, ``fc``, ``add``; or what is behind the point, as ``pool``.
        root: text of the name in front of the point; None where there is none.
        family: layers of one family are numbered together.
    """

    text: str
    word: str
    root: str | None
    family: str


@dataclass
class Builder:
    """The layers so far."""

    names: dict[str, Name] = field(default_factory=dict)
    _layers: list[tuple[int, Layer, tuple[str, ...]]] = field(default_factory=list)

    def name(self, word: str, family: str | None = None, root: str | None = None) -> str:
        """A new name: ``conv0`` of the family ``unit``, or ``conv0.pool`` behind the root ``conv0``."""
        name = _next(word, family or word, root, self.names.values())
        self.names[name.text] = name
        return name.text

    def add(self, order: int, layers: Sequence[Layer], reads: Sequence[str]) -> None:
        """Add layers of which each reads the one before, the first one the streams ``reads``; ``order`` is the number
        of their first node."""
        for layer in layers:
            self._layers.append((order, layer, tuple(reads)))
            reads = (layer.name,)

    def finish(self, sites: Sites) -> tuple[Layer, ...]:
        """All layers in order, with their final names, which ``sites`` are given, too."""
        ordered = sorted(self._layers, key=lambda entry: entry[0])
        final = {INPUT: Name(INPUT, INPUT, None, INPUT)}
        for _, layer, _ in ordered:
            old = self.names[layer.name]
            root = None if old.root is None else final[old.root].text
            final[layer.name] = _next(old.word, old.family, root, final.values())
        sites.rename({old: new.text for old, new in final.items()})
        layers, before = [], INPUT
        for _, layer, reads in ordered:
            inputs = tuple(final[stream].text for stream in reads)
            layers.append(_renamed(layer, final[layer.name].text, () if inputs == (before,) else inputs))
            before = final[layer.name].text
        return tuple(layers)


def _next(word: str, family: str, root: str | None, taken: Iterable[Name]) -> Name:
    """The next free name."""
    if root is None:
        return Name(f"{word}{sum(name.family == family for name in taken)}", word, None, family)
    number = 1 + sum(name.word == word and name.root == root for name in taken)
    return Name(f"{root}.{word}{number if number > 1 else ''}", word, root, family)


def _renamed(layer: Any, name: str, inputs: tuple[str, ...]) -> Layer:
    same = layer.name == name and layer.inputs == inputs
    changed: Layer = layer if same else replace(layer, name=name, inputs=inputs)
    return changed
