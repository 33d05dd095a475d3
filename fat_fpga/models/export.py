"""Writing a Brevitas network as a QONNX file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import onnx
import torch
from brevitas.export import export_qonnx as brevitas_export
from brevitas.nn import QuantConv2d, QuantLinear
from brevitas.nn.mixin.base import QuantLayerMixin
from brevitas.proxy.quant_proxy import QuantProxyFromInjector
from torch import nn

from fat_fpga.errors import ModelError
from fat_fpga.files import check_writable, replacing
from fat_fpga.models.weights import quantised_weight

OPSET = 13


def export_qonnx(model: nn.Module, path: str | PathLike[str], input_shape: tuple[int, ...]) -> None:
    """Write ``model`` to ``path`` in QONNX form, in evaluation mode, whole or not at all; one of floats as plain ONNX.

    The file holds each weight as its quantised value instead of the float it was trained as. Quantising once more
    changes nothing, so the file computes the same, and packs into a fraction of the size. Nodes have the names of the
    modules that they come from (``conv0``, ``conv0_norm``, ``conv0_act``, ...). The model, which may have any
    Brevitas layers, is left as it was.

    Args:
        model: on the CPU.
        path: of the file to write.
        input_shape: of one batch, such as (1, 3, 32, 32).

    Raises:
        ModelError: Brevitas cannot export the model.
        OSError: the file cannot be written.
    """
    check_writable(path)
    training = model.training
    model.eval()
    try:
        with replacing(path) as temporary, _quantised_weights(model), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                _export(model, temporary, input_shape)
            except OSError:
                raise
            except Exception as error:  # whatever the exporter meets in a foreign model
                reason = (str(error) or type(error).__name__).splitlines()[0]
                raise ModelError(f"the model cannot be exported to QONNX: {reason}") from error
            exported = onnx.load(str(temporary))
            _only_real_inputs(exported.graph)
            _name_after_modules(exported.graph)
            onnx.save(exported, str(temporary))
    finally:
        model.train(training)


def _export(model: nn.Module, path: Path, input_shape: tuple[int, ...]) -> None:
    """Write with Brevitas, or with PyTorch where nothing is Brevitas's."""
    images = torch.zeros(input_shape)
    options: dict[str, Any] = {
        "dynamo": False,
        "opset_version": OPSET,
        "keep_initializers_as_inputs": True,
        "input_names": ["images"],
        "output_names": ["scores"],
    }
    if any(isinstance(module, (QuantLayerMixin, QuantProxyFromInjector)) for module in model.modules()):
        brevitas_export(model, input_t=images, export_path=str(path), **options)
    else:
        torch.onnx.export(model, (images,), str(path), **options)


@contextmanager
def _quantised_weights(model: nn.Module) -> Iterator[None]:
    """Replace latent weights by their quantised values while the block runs, where that changes no quantised value."""
    layers = [module for module in model.modules() if isinstance(module, (QuantConv2d, QuantLinear))]
    latent = [layer.weight.detach().clone() for layer in layers]
    try:
        with torch.no_grad():
            for layer, floats in zip(layers, latent, strict=True):
                values = quantised_weight(layer).clone()
                layer.weight.copy_(values)
                if not torch.equal(layer.quant_weight().value, values):  # such as a scale taken from the weights
                    layer.weight.copy_(floats)
        yield
    finally:
        with torch.no_grad():
            for layer, floats in zip(layers, latent, strict=True):
                layer.weight.copy_(floats)


def _only_real_inputs(graph: onnx.GraphProto) -> None:
    """Leave the images as the graph's one input; the exporter lists every constant too.

    (Asked not to list them, it merges equal constants behind Identity nodes instead.)
    """
    constants = {constant.name for constant in graph.initializer}
    inputs = [entry for entry in graph.input if entry.name not in constants]
    del graph.input[:]
    graph.input.extend(inputs)


def _name_after_modules(graph: onnx.GraphProto) -> None:
    """Shorten names such as ``/conv0_act/act_quant/export_handler/BipolarQuant`` to ``conv0_act``.

    The node that computes a module's result takes the module's own name; the others of the module add what they do.
    """
    result_of = {node.name.split("/")[1]: node.name for node in graph.node if node.name.startswith("/")}
    taken: set[str] = set()
    for node in graph.node:
        parts = [part for part in node.name.split("/") if part not in ("", "act_quant", "export_handler")]
        if not parts:
            continue
        name = parts[0] if result_of.get(parts[0]) == node.name else ".".join(parts)
        if name not in taken:
            node.name = name
        taken.add(node.name)
