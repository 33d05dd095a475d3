"""Putting injectors into a network, finding them there, and taking them out."""

from __future__ import annotations

from torch import nn

from fat_fpga.arguments import checked
from fat_fpga.errors import TrainingError
from fat_fpga.training.injection.error_models import check_error_model
from fat_fpga.training.injection.injector import ErrorInjector, Injector, check_percent
from fat_fpga.training.injection.levels import levels_of
from fat_fpga.training.injection.places import Place, find_places


@checked
def insert_injectors(
    model: nn.Module, error_model: str = "channel", p: float = 0.0, behind_pools: bool = True
) -> list[ErrorInjector]:
    """Insert an error injection layer behind every quantised activation of ``model``, whatever its class.

    Args:
        model: any module with Brevitas's activations or ours in it.
        error_model: ``"channel"``, ``"pixel"`` or ``"element"``.
        p: probability that an activation is replaced, in percent; it can be set on each injector later.
        behind_pools: where a max-pool was registered right behind an activation, inject behind the pool. Errors in
            training are then raised if the activation's result does not go there.

    Returns:
        The injectors, all enabled, in the order in which the activations were registered.

    Raises:
        ModelError: no quantised activations, or one whose levels are unknown.
        TrainingError: a bad ``p`` or error model, or injectors are there already.
    """
    check_percent(p)
    check_error_model(error_model)
    places = places_for(model, behind_pools)
    levels = [levels_of(place.activation, place.activation_name) for place in places]
    return [ErrorInjector(place, known, error_model, p) for place, known in zip(places, levels, strict=True)]


def places_for(model: nn.Module, behind_pools: bool = True) -> list[Place]:
    """The places in a model that has no injectors yet.

    Raises:
        ModelError: it has no quantised activations.
        TrainingError: injectors are there already.
    """
    if injectors_in(model):
        raise TrainingError("the model has injectors already; call remove_injectors first")
    return find_places(model, behind_pools)


def injectors_in(model: nn.Module) -> list[Injector]:
    """The injectors in ``model``, also in a copy of the model that they were inserted into."""
    hooks = (hook for module in model.modules() for hook in module._forward_hooks.values())
    owners = (getattr(hook, "__self__", None) for hook in hooks)
    return list(dict.fromkeys(owner for owner in owners if isinstance(owner, Injector)))


@checked
def remove_injectors(model: nn.Module) -> None:
    """Take every injector out of ``model``, which is then as it was before they were inserted."""
    for injector in injectors_in(model):
        injector.remove()
