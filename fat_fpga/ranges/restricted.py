"""The bounds of a network, and a network with its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from fat_fpga.arguments import checked
from fat_fpga.errors import ModelError
from fat_fpga.ranges.activation import STYLES, UNBOUNDED, Bounded
from fat_fpga.ranges.weights import check_when_read

RANGES = "ranges"
"""Under which name a checkpoint has them."""


@dataclass(frozen=True, eq=False)
class Ranges:
    """The bounds of a network.

    Attributes:
        style: of all activations, see `fat_fpga.ranges.activation`.
        bounds: of each activation by its name, float32, see `Bounded`.
        weights: smallest and largest value of each parameter by its name.
    """

    style: str = "clip"
    bounds: Mapping[str, Tensor] = field(default_factory=dict)
    weights: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def words(self) -> int:
        """Numbers that have to be kept beside the network."""
        return sum(bound.numel() for bound in self.bounds.values()) + 2 * len(self.weights)

    def to_dict(self) -> dict[str, Any]:
        """Tensors and plain values, for a checkpoint."""
        weights = {name: [low, high] for name, (low, high) in self.weights.items()}
        return {"style": self.style, "bounds": dict(self.bounds), "weights": weights}


@checked
def activations(module: nn.Module) -> dict[str, nn.Module]:
    """The activations without a bound in a module, by name, in the order of ``named_modules``.

    An activation that is called in several places is one, and has one bound. What is in a Brevitas layer is its own
    affair, and has a bound.
    """
    return {name: part for name, part in module.named_modules() if name and type(part) in UNBOUNDED}


@checked
def restrict(module: nn.Module, ranges: Ranges) -> nn.Module:
    """Give the activations and the parameters of a module their ranges, in place; the module is returned.

    Raises:
        ModelError: they are those of another network: a name is missing, or is no activation without a bound.
    """
    found, parameters = activations(module), dict(module.named_parameters())
    for name in ranges.bounds:
        if name not in found:
            has = ", ".join(list(found)[:4]) or "none"
            raise ModelError(f"the bounds are those of another network: it has no activation '{name}', it has {has}")
    for name in ranges.weights:
        if name not in parameters:
            has = ", ".join(list(parameters)[:4]) or "none"
            raise ModelError(f"the ranges are those of another network: it has no parameter '{name}', it has {has}")
    replace(module, {name: Bounded(found[name], bound, ranges.style) for name, bound in ranges.bounds.items()})
    for name, (low, high) in ranges.weights.items():
        check_when_read(module, name, low, high)
    return module.train(module.training)


def replace(module: nn.Module, by: Mapping[str, nn.Module]) -> None:
    """Put other modules in the places of those of these names, wherever they are called."""
    new = {id(module.get_submodule(name)): part for name, part in by.items()}
    for parent in list(module.modules()):
        for name, part in list(parent._modules.items()):  # named_children has a shared one once
            if part is not None and id(part) in new and parent is not new[id(part)]:
                setattr(parent, name, new[id(part)].train(part.training))


def ranges_in(content: Any, where: str) -> Ranges | None:
    """The ranges in a checkpoint; None where it has none.

    Raises:
        ModelError: they are damaged.
    """
    if not isinstance(content, dict) or RANGES not in content:
        return None
    found = content[RANGES]
    try:
        style, bounds, weights = found["style"], found["bounds"], found["weights"]
        whole = style in STYLES and all(isinstance(bound, Tensor) for bound in bounds.values())
        ranges = {str(name): (float(low), float(high)) for name, (low, high) in weights.items()}
    except (TypeError, KeyError, ValueError, AttributeError):
        whole = False
    if not whole:
        raise ModelError(
            f"{where}: its ranges are damaged: expected style, bounds and weights, as fat-fpga clip writes"
        )
    return Ranges(style, {name: bound.to(torch.float32) for name, bound in bounds.items()}, ranges)
