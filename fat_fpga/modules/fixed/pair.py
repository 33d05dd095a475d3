"""Both roads of one float module, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fat_fpga.arguments import checked
from fat_fpga.errors import ModelError
from fat_fpga.fixed_point import Formats, quantise
from fat_fpga.fixed_point.sources import exported
from fat_fpga.modules.fixed.addresses import Addresses
from fat_fpga.modules.fixed.copy import fixed_copy
from fat_fpga.modules.fixed.engine import FixedModuleEngine
from fat_fpga.modules.fixed.matching import found_words
from fat_fpga.modules.subject import ModuleSubject
from fat_fpga.network import Network, load_network
from fat_fpga.network.lowering.pixels import Normalise, Pixels

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False)
class FixedPair:
    """One float module in fixed point, by two roads.

    Attributes:
        network: the integer program, which all engines of networks execute.
        subject: the module in float64, whose words have the same formats.
        addresses: where the faults of the network are in the module.
    """

    network: Network
    subject: ModuleSubject
    addresses: Addresses

    def engine(self, plain: bool = False) -> FixedModuleEngine:
        """An engine that executes the network by the module: for `fat_fpga.crosscheck.crosscheck`.

        Args:
            plain: take no short cut, as ``module:plain``.
        """
        return FixedModuleEngine(self.network, self.subject, self.addresses, plain)


@checked
def fixed_pair(
    module: nn.Module,
    image_shape: Sequence[int],
    formats: Formats,
    name: str = "",
    *,
    pixels: Pixels = "unit",
    normalise: Normalise | None = None,
) -> FixedPair:
    """Bring a float module into fixed point by two roads.

    >>> pair = fixed_pair(model.eval(), (1, 28, 28), Formats(QFormat(2, 6), QFormat(4, 4)))     # doctest: +SKIP
    >>> engines = {"native": get("native"), "module": pair.engine()}                          # doctest: +SKIP
    >>> print(crosscheck(pair.network, images, faults, engines))                              # doctest: +SKIP

    Args:
        module: of float32, in evaluation mode; it is copied.
        image_shape: channels, height, width.
        formats: of its layers.
        name: what to call it; by default its class.
        pixels, normalise: what it takes, as of `fat_fpga.network.load_network`; ``unit`` or ``raw``.

    Raises:
        ModelError: it cannot be brought into fixed point; a product, or what becomes words, is in no module of its
            own; or the two roads differ without a fault, because of arithmetic outside the modules.
    """
    row = tuple(map(int, image_shape))
    if len(row) != 3:
        raise ModelError(f"image_shape: expected channels, height, width, got {list(row)}")
    name = name or type(module).__name__
    if module.training:
        raise ModelError(f"{name} is in training mode: call .eval() first")
    model = exported(module, name, (row[0], row[1], row[2]))
    network = load_network(quantise(model, formats).model, name, pixels=pixels, normalise=normalise)
    if network.outputs is not None:
        raise ModelError(f"{name} gives values and no classes: two roads are compared by class")
    copy = fixed_copy(module, model, formats, row)
    mean, std = normalise or ((), ())

    def subject_of(own: dict[str, str]) -> ModuleSubject:
        return ModuleSubject(copy.module, row, name, formats=own, pixels=pixels, mean=mean, std=std)

    found, passed = found_words(network, subject_of(copy.formats), copy, model, formats)
    subject = subject_of(passed)
    return FixedPair(network, subject, Addresses(found, subject))
