"""Where in a network the activations are that a fault would hit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brevitas.nn.mixin.base import QuantLayerMixin
from torch import nn

from fat_fpga.errors import ModelError
from fat_fpga.models.activation import OwnActivation
from fat_fpga.training.injection.levels import is_quantised_activation, may_quantise_input

MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)
"""Pools whose results are levels of the activation in front; averages are not."""


@dataclass(frozen=True)
class Place:
    """A place behind an activation, or behind the pool that follows it (Figure 5 of the paper)."""

    name: str
    module: nn.Module
    activation_name: str
    activation: nn.Module

    @property
    def fresh(self) -> bool:
        """Whether the result here is new memory that the backward pass has no use for, so it may be written over."""
        return self.module is not self.activation or isinstance(self.activation, OwnActivation)


def find_places(model: nn.Module, behind_pools: bool = True) -> list[Place]:
    """The places in ``model``, in the order in which its modules were registered.

    Every quantised activation layer is one, other than the quantiser of the images: a ``QuantIdentity`` registered in
    front of every layer with weights. If the module registered next is a max-pool, the place is behind that.

    Raises:
        ModelError: there is none.
    """
    leaves = list(_leaves(model, ""))
    places = []
    weights_seen = False
    for index, (name, module) in enumerate(leaves):
        if not is_quantised_activation(module):
            weights_seen = weights_seen or any(parameter.dim() > 1 for parameter in module.parameters())
            continue
        if may_quantise_input(module) and not weights_seen:
            continue
        after = leaves[index + 1] if index + 1 < len(leaves) else None
        if behind_pools and after and isinstance(after[1], MAX_POOLS) and not after[1].return_indices:
            places.append(Place(*after, name, module))
        else:
            places.append(Place(name, module, name, module))
    if not places:
        raise ModelError("the model has no quantised activations to inject errors behind; expected Brevitas layers")
    return places


def _leaves(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """Brevitas's layers, and modules without children, each once."""
    seen: set[nn.Module] = set()

    def walk(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
        if module in seen:
            return
        seen.add(module)
        if isinstance(module, QuantLayerMixin) or not any(module.children()):
            yield name, module
            return
        for child_name, child in module.named_children():
            yield from walk(child, f"{name}.{child_name}" if name else child_name)

    yield from walk(module, name)
