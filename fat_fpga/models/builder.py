"""Build a Brevitas network of the family from its row in the table."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeAlias

import brevitas.nn as qnn
from torch import nn

from fat_fpga.models.activation import QuantisedActivation, QuantisedImage, QuantisedReLU
from fat_fpga.models.blocks import BlockNetwork
from fat_fpga.models.float_network import FloatNetwork
from fat_fpga.models.norm import NORM_EPS, Centre, TensorNorm
from fat_fpga.models.topology import NetworkSpec
from fat_fpga.models.weights import OwnLayer, QuantisedConv2d, QuantisedLinear


class QuantisedNetwork(nn.Sequential):
    """A plain chain of named modules; ``spec`` says which network it is.

    Input: float32 images [N, C, H, W] in [0, 1]. Output: float32 class scores [N, classes].
    Layers are counted through, ``conv0`` .. ``conv5``, ``fc6`` .. ``fc8``, as in the addresses of faults. Behind each
    stand ``<layer>_norm``, ``<layer>_act`` and where there is one ``<layer>_pool``, so code that works behind an
    activation finds its place by walking ``named_children()``.
    """

    def __init__(self, spec: NetworkSpec, layers: OrderedDict[str, nn.Module]) -> None:
        super().__init__(layers)
        self.spec = spec


FamilyNetwork: TypeAlias = QuantisedNetwork | BlockNetwork | FloatNetwork
"""What `fat_fpga.models.build` gives: a chain of modules, a network of blocks, or one of floats."""


def assemble(spec: NetworkSpec) -> FamilyNetwork:
    """Build the network with fresh weights, uniform in [-1, 1]; those of a network of floats as torch draws them."""
    if spec.is_float:
        return FloatNetwork(spec)
    network: FamilyNetwork = BlockNetwork(spec) if spec.topology.blocks else _chain(spec)
    for weight in latent_weights(network):
        nn.init.uniform_(weight, -1, 1)
    return network


def _chain(spec: NetworkSpec) -> QuantisedNetwork:
    topology = spec.topology
    layers: OrderedDict[str, nn.Module] = OrderedDict(centre=Centre())
    if spec.input_bits == 8:
        layers["input"] = QuantisedImage()
    else:
        layers["input"] = QuantisedActivation(spec.input_bits)
    channels, height, width = topology.input_shape
    for index, convolution in enumerate(topology.convolutions):
        name = f"conv{index}"
        layers[name] = QuantisedConv2d(
            spec.bits_of_weights(index),
            channels,
            convolution.channels,
            convolution.kernel,
            stride=convolution.stride,
            padding=convolution.padding,
        )
        channels = convolution.channels
        layers[f"{name}_norm"] = nn.BatchNorm2d(channels, eps=NORM_EPS)
        layers[f"{name}_act"] = _activation(spec)
        if convolution.pool is not None:
            layers[f"{name}_pool"] = nn.MaxPool2d(*convolution.pool)
        height, width = convolution.side(height), convolution.side(width)
    layers["flatten"] = nn.Flatten()
    if topology.dropout:
        layers["input_drop"] = nn.Dropout(topology.dropout)
    features = channels * height * width
    for index, out_features in enumerate(topology.hidden, start=len(topology.convolutions)):
        name = f"fc{index}"
        layers[name] = QuantisedLinear(spec.bits_of_weights(index), features, out_features)
        layers[f"{name}_norm"] = nn.BatchNorm1d(out_features, eps=NORM_EPS)
        layers[f"{name}_act"] = _activation(spec)
        if topology.dropout:
            layers[f"{name}_drop"] = nn.Dropout(topology.dropout)
        features = out_features
    name = f"fc{spec.layers - 1}"
    layers[name] = QuantisedLinear(spec.bits_of_weights(spec.layers - 1), features, spec.classes)
    layers[f"{name}_norm"] = TensorNorm(eps=NORM_EPS)
    return QuantisedNetwork(spec, layers)


def latent_weights(model: nn.Module) -> list[nn.Parameter]:
    """The float weights behind the quantised ones, of every quantised layer of ``model`` in order."""
    layers = (module for module in model.modules() if isinstance(module, (qnn.QuantConv2d, qnn.QuantLinear)))
    return [layer.weight for layer in layers]


def bounded_weights(model: nn.Module) -> list[nn.Parameter]:
    """Those of the `latent_weights` that mean nothing beyond [-1, 1]; of relative ones the size does not matter."""
    relative = {id(module.weight) for module in model.modules() if isinstance(module, OwnLayer) and module.relative}
    return [weight for weight in latent_weights(model) if id(weight) not in relative]


def _activation(spec: NetworkSpec) -> nn.Module:
    """The activation of a hidden layer. An unsigned one is a ReLU: FINN takes unsigned quantisers only behind one."""
    if not spec.topology.unsigned:
        return QuantisedActivation(spec.activation_bits)
    return QuantisedReLU(spec.activation_bits)
