"""What range activations have without faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fat_fpga.errors import ModelError
from fat_fpga.modules import ModuleSubject
from fat_fpga.ranges.activation import UNBOUNDED
from fat_fpga.ranges.restricted import activations

ROWS = 64


@dataclass(frozen=True, eq=False)
class Profile:
    """The largest values that activations have on some images; of one without a smallest value, magnitudes.

    Attributes:
        neurons: by the name of the activation, float32 of the shape of one image's output; of an activation that is
            called with several shapes float32 [].
    """

    neurons: Mapping[str, Tensor]

    def layer(self, name: str) -> Tensor:
        """The largest of a layer (ACT_max), float32 []."""
        return self.neurons[name].max()

    def bounds(self, granularity: str) -> dict[str, Tensor]:
        """The largest of each ``layer``, ``channel`` or ``neuron``, in shapes that `Bounded` takes."""
        if granularity == "neuron":
            return dict(self.neurons)
        if granularity == "layer":
            return {name: self.layer(name) for name in self.neurons}
        return {
            name: own.amax(dim=tuple(range(1, own.dim())), keepdim=True) if own.dim() > 1 else own
            for name, own in self.neurons.items()
        }


def profile(subject: ModuleSubject, images: Any) -> Profile:
    """The profile of a module on images, in its stored formats.

    Raises:
        ModelError: it has no activation without a bound, or one of them is never called.
    """
    found: dict[str, Tensor] = {}

    def see(name: str, output: Tensor) -> None:
        output = output.detach()
        two_sided = UNBOUNDED[type(subject.module.get_submodule(name))]
        largest = (output.abs() if two_sided else output.clamp_min(0)).amax(dim=0).float()
        before = found.get(name)
        if before is not None and before.shape != largest.shape:
            before, largest = before.max(), largest.max()
        found[name] = largest if before is None else torch.maximum(before, largest)

    with subject.loaded():
        for _ in outputs(subject, images, see):
            pass
    names = unbounded(subject.module)
    missing = [name for name in names if name not in found]
    if missing:
        raise ModelError(f"{subject.name}: its activation {missing[0]} is never called: there is no range to find")
    return Profile({name: found[name] for name in names})


def unbounded(module: nn.Module) -> list[str]:
    """Names of the activations without a bound.

    Raises:
        ModelError: there is none.
    """
    found = list(activations(module))
    if not found:
        kinds = sorted({type(part).__name__ for part in module.modules()} - {type(module).__name__})
        raise ModelError(
            f"{type(module).__name__} has nothing to clip: it has no activation module without a bound, as nn.ReLU "
            f"(functions as torch.relu are no modules); its modules are {', '.join(kinds[:8]) or 'none'}"
        )
    return found


def outputs(subject: ModuleSubject, images: Any, see: Any) -> Iterator[Tensor]:
    """Execute a module as it is on images, in batches, and give the outputs; ``see(name, output)`` is called for each
    activation without a bound."""
    named = {name: subject.module.get_submodule(name) for name in activations(subject.module)}
    with _hooked(named, see), torch.no_grad():
        for start in range(0, len(images), ROWS):
            tensor = subject.input.tensor(images[start : start + ROWS], subject.device)
            yield subject.module(subject.store("input", tensor))


@contextmanager
def _hooked(named: Mapping[str, nn.Module], see: Any) -> Iterator[None]:
    def hook(name: str) -> Any:
        return lambda module, args, output: see(name, output)

    handles = [module.register_forward_hook(hook(name)) for name, module in named.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
