"""The module as it is, in float64, with the weights, and at the places, of the fixed-point network made of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from fat_fpga.errors import ModelError
from fat_fpga.faults.activation import ActivationUpset
from fat_fpga.faults.weight import WeightBit
from fat_fpga.fixed_point import FloatModel, Formats
from fat_fpga.fixed_point.quantise import formats_in_front, rounded_bias
from fat_fpga.fixed_point.step import Product, Step
from fat_fpga.fixed_point.words import INPUT
from fat_fpga.modules.calls import modules_of
from fat_fpga.modules.record import record

_AGAIN = re.compile(r"_[0-9]+$")
"""What the exporter adds to the name of a module where it is called once more."""


@dataclass(frozen=True, eq=False)
class FixedCopy:
    """A copy of a module in float64.

    Attributes:
        module: with words of fixed point as weights, biases in steps of the sums, and batch norms folded in.
        formats: of `fat_fpga.modules.ModuleSubject`: of its weights and of what some of its modules give.
        products: names of the modules with weights, in the order of the products.
    """

    module: nn.Module
    formats: dict[str, str]
    products: tuple[str, ...]


def fixed_copy(module: nn.Module, model: FloatModel, formats: Formats, row: Sequence[int]) -> FixedCopy:
    """The copy of a module that computes what the fixed-point network computes.

    Args:
        module: in evaluation mode, of float32.
        model: what was read of its export.
        formats: of the layers of ``model``.
        row: shape of an image.

    Raises:
        ModelError: a product, or what becomes words, is in no module of its own.
    """
    own = deepcopy(module).double()
    names = _products(own, model, row)
    front, found = (
        formats_in_front(model, formats),
        {f"{INPUT}/{ActivationUpset.kind}": str(formats.activations_of(INPUT))},
    )
    kept = {_module_at(step, own) for step in model.steps if step.node.op_type == "BatchNormalization"}
    for folded, part in list(own.named_modules()):
        if isinstance(part, _BatchNorm) and folded not in kept:  # into the product before it
            _replace(own, folded, nn.Identity())
    for (layer, product), name in zip(model.products.items(), names, strict=True):
        weights = formats.weights_of(layer)
        _store(own.get_submodule(name), product, weights.quantise(product.weights) * weights.step,
               rounded_bias(product, weights, front[layer]))  # fmt: skip
        found[f"{name}/{WeightBit.kind}"] = str(weights)
    for step in model.steps:
        made = model.words.get(step.node.output[0])
        if made is not None:
            place, form = _place(model, step, own), str(formats.activations_of(made))
            other = found.setdefault(f"{place}/{ActivationUpset.kind}", form)
            if other != form:
                raise ModelError(
                    f"{model.name}: {place} is called several times, and gives words of {other} and {form}: one module "
                    "has one format"
                )
    return FixedCopy(own.eval(), found, tuple(names))


def _products(module: nn.Module, model: FloatModel, row: Sequence[int]) -> list[str]:
    """The names of the modules that make the products, in the order of these."""
    parts = modules_of(module)
    seen = record(module, parts, torch.zeros(1, *row, dtype=torch.float64), lambda _, output: output)
    calls = sorted(seen.calls, key=lambda call: call.start)
    names = [call.module for call in calls if isinstance(parts[call.module], nn.Linear | _ConvNd)]
    if len(names) != len(model.products) or len(set(names)) != len(names):
        raise ModelError(
            f"{model.name} has {len(model.products)} products with weights, and calls {len(names)} modules of type "
            "Linear or Conv: each product has to be a module of its own, called once"
        )
    for name, (layer, product) in zip(names, model.products.items(), strict=True):
        shape = list(_of(parts[name]).shape)
        if list(_weights(product).shape) != shape:
            raise ModelError(
                f"{model.name}: the weights of layer '{layer}' are {list(_weights(product).shape)}, those of module "
                f"{name} {shape}: it has to be a plain Linear or Conv"
            )
    return names


def _of(module: nn.Module) -> Tensor:
    assert isinstance(module.weight, Tensor)
    return module.weight


def _weights(product: Product) -> Tensor:
    weights = torch.from_numpy(product.weights)
    return weights if product.channels_first else weights.T


def _store(module: nn.Module, product: Product, weights: object, bias: object) -> None:
    """Give a module the weights and biases of its product."""
    with torch.no_grad():
        found = torch.as_tensor(weights, dtype=torch.float64)
        _of(module).copy_(found if product.channels_first else found.T)
        module.bias = nn.Parameter(torch.as_tensor(bias, dtype=torch.float64))


def _place(model: FloatModel, step: Step, module: nn.Module) -> str:
    """The name of the module whose output becomes words."""
    name = _module_at(step, module)
    if name is None or any(True for _ in module.get_submodule(name).children()):
        raise ModelError(
            f"{model.name}: the result of {step.node.op_type} (node '{step.node.name}') is rounded to words, and is "
            f"computed in the forward of {name or 'the module itself'}: compute it in a module of its own, as "
            "torch.nn.ReLU()"
        )
    return name


def _module_at(step: Step, module: nn.Module) -> str | None:
    """The name of the module that a node comes from, by the path that the exporter names its result after; None where
    that is the forward of the whole."""
    known = dict(module.named_modules())
    name = ""
    for part in step.node.output[0].split("/")[1:-1]:
        outer = name.rpartition(".")[0]  # children of a Sequential have its name in theirs
        tries = [".".join(filter(None, (before, own))) for own in (part, _AGAIN.sub("", part))
                 for before in (name, outer)]  # fmt: skip
        name = next((one for one in tries if one in known), "")
        if not name:
            return None
    return name or None


def _replace(module: nn.Module, name: str, part: nn.Module) -> None:
    outer, _, own = name.rpartition(".")
    setattr(module.get_submodule(outer), own, part)
