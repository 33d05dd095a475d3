"""What an inference reads from memories: every weight once, every activation once (E0)."""

from __future__ import annotations

from dataclasses import dataclass

from fat_fpga.arguments import checked
from fat_fpga.faults import AnySubject, places
from fat_fpga.faults.place import INPUT
from fat_fpga.network import Network

ACTIVATIONS = "torch.nn.modules.activation"
BOUNDED = "fat_fpga.ranges.activation"


@dataclass(frozen=True)
class Accesses:
    """Words that one inference reads.

    Attributes:
        weights: parameters; of an integer network weights and thresholds.
        activations: what the activation functions of the layers give for one image.
    """

    weights: int
    activations: int

    @property
    def energy(self) -> int:
        """E0: the energy of an inference with reliable memories, in accesses."""
        return self.weights + self.activations


@checked
def accesses(subject: AnySubject) -> Accesses:
    """The words that an inference of a network or a module reads.

    The activations of a module are what its activation functions (ReLU and others of `torch.nn`) give, the weights all
    its parameters. So ResNet18 for CIFAR-10 has 0.56 million activations, as in Table I of the paper.
    """
    if isinstance(subject, Network):
        weights = sum(
            place.unit.weights.size + (0 if place.unit.thresholds is None else place.unit.thresholds.size)
            for place in places(subject).values()
            if place.unit is not None
        )
        counted = [p for p in places(subject).values() if p.name != INPUT and p.unit is not None and p.levels]
        return Accesses(int(weights), sum(place.shape[0] * place.shape[1] * place.shape[2] for place in counted))
    from fat_fpga.modules import ModuleSubject

    assert isinstance(subject, ModuleSubject)
    parameters = sum(parameter.numel() for parameter in subject.module.parameters())
    values = 0
    for name, stream in subject.survey.streams.items():
        part = subject.modules[name]
        inside = type(subject.modules.get(name.rpartition(".")[0])).__module__ == BOUNDED
        if (type(part).__module__ == ACTIVATIONS and not inside) or type(part).__module__ == BOUNDED:
            values += _values(stream.shape) * stream.calls
    return Accesses(parameters, values)


def _values(shape: tuple[int, ...]) -> int:
    found = 1
    for size in shape:
        found *= size
    return found
