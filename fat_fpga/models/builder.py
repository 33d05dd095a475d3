"""Build a Brevitas network of the family from its row in the table."""

from __future__ import annotations

from collections import OrderedDict

import brevitas.nn as qnn
from torch import Tensor, nn

from fat_fpga.models.activation import QuantisedActivation
from fat_fpga.models.family import NetworkSpec
from fat_fpga.models.norm import TensorNorm
from fat_fpga.models.quantisers import ImageQuantiser, WeightQuantiser

NORM_EPS = 1e-4


class Centre(nn.Module):
    """Map pixels from [0, 1] to [-1, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        """Return 2x - 1."""
        return 2.0 * x - 1.0


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


def assemble(spec: NetworkSpec) -> QuantisedNetwork:
    """Build the network with fresh weights, uniform in [-1, 1]."""
    topology = spec.topology
    layers: OrderedDict[str, nn.Module] = OrderedDict(centre=Centre())
    if spec.input_bits == 8:
        layers["input"] = qnn.QuantIdentity(act_quant=ImageQuantiser, bit_width=8)
    else:
        layers["input"] = QuantisedActivation(spec.input_bits)
    channels, height, width = topology.input_shape
    for index, (out_channels, pooled) in enumerate(topology.convolutions):
        name = f"conv{index}"
        layers[name] = qnn.QuantConv2d(
            channels, out_channels, 3, bias=False, weight_quant=WeightQuantiser, weight_bit_width=spec.weight_bits
        )
        layers[f"{name}_norm"] = nn.BatchNorm2d(out_channels, eps=NORM_EPS)
        layers[f"{name}_act"] = QuantisedActivation(spec.activation_bits)
        channels, height, width = out_channels, height - 2, width - 2
        if pooled:
            layers[f"{name}_pool"] = nn.MaxPool2d(2)
            height, width = height // 2, width // 2
    layers["flatten"] = nn.Flatten()
    if topology.dropout:
        layers["input_drop"] = nn.Dropout(topology.dropout)
    features = channels * height * width
    for index, out_features in enumerate(topology.hidden, start=len(topology.convolutions)):
        name = f"fc{index}"
        layers[name] = _linear(spec, features, out_features)
        layers[f"{name}_norm"] = nn.BatchNorm1d(out_features, eps=NORM_EPS)
        layers[f"{name}_act"] = QuantisedActivation(spec.activation_bits)
        if topology.dropout:
            layers[f"{name}_drop"] = nn.Dropout(topology.dropout)
        features = out_features
    name = f"fc{len(topology.convolutions) + len(topology.hidden)}"
    layers[name] = _linear(spec, features, spec.classes)
    layers[f"{name}_norm"] = TensorNorm(eps=NORM_EPS)
    network = QuantisedNetwork(spec, layers)
    for weight in latent_weights(network):
        nn.init.uniform_(weight, -1, 1)
    return network


def latent_weights(model: nn.Module) -> list[nn.Parameter]:
    """The float weights behind the quantised ones, of every quantised layer of ``model`` in order."""
    layers = (module for module in model.modules() if isinstance(module, (qnn.QuantConv2d, qnn.QuantLinear)))
    return [layer.weight for layer in layers]


def _linear(spec: NetworkSpec, features: int, out_features: int) -> nn.Module:
    layer: nn.Module = qnn.QuantLinear(
        features, out_features, bias=False, weight_quant=WeightQuantiser, weight_bit_width=spec.weight_bits
    )
    return layer
