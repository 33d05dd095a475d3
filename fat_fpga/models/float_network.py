"""Networks of floats of the family, for fixed point: no quantiser is in them."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from fat_fpga.models.float_blocks import block_of
from fat_fpga.models.float_layers import activation, add_convolution
from fat_fpga.models.topology import NetworkSpec


class FloatNetwork(nn.Sequential):
    """A chain of named modules; ``spec`` says which network it is.

    Input: float32 images [N, C, H, W] in [0, 1]. Output: float32 class scores [N, classes]. Layers are counted
    through as in `QuantisedNetwork`: ``conv0``, ``conv0_norm``, ``conv0_act``, ``conv0_pool``, ..., ``fc2``.
    Weights are drawn as torch does it; of networks whose activations saturate after Glorot and Bengio (2010).
    """

    def __init__(self, spec: NetworkSpec) -> None:
        topology = spec.topology
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        channels, height, width = topology.input_shape
        for index, convolution in enumerate(topology.convolutions):
            dropout = topology.late_dropout[0] if index else 0.0
            add_convolution(layers, f"conv{index}", channels, convolution, topology.norm, topology.saturation, dropout)
            channels = convolution.channels
            height, width = convolution.side(height), convolution.side(width)
        for index, block in enumerate(topology.blocks):
            layers[f"block{index}"] = block_of(channels, block)
            channels = block.channels
            height, width = -(-height // block.stride), -(-width // block.stride)
        if topology.blocks:
            layers["average"] = nn.AvgPool2d((height, width))
            height = width = 1
        layers["flatten"] = nn.Flatten()
        if topology.dropout:
            layers["input_drop"] = nn.Dropout(topology.dropout)
        features = channels * height * width
        for index, out_features in enumerate(topology.hidden, start=len(topology.convolutions)):
            name = f"fc{index}"
            layers[name] = nn.Linear(features, out_features, bias=not topology.norm)
            if topology.norm:
                layers[f"{name}_norm"] = nn.BatchNorm1d(out_features)
            layers[f"{name}_act"] = activation(topology.saturation)
            if dropout := topology.dropout or (topology.late_dropout[1] if index else 0.0):
                layers[f"{name}_drop"] = nn.Dropout(dropout)
            features = out_features
        layers[f"fc{spec.layers - 1}"] = nn.Linear(features, spec.classes)
        super().__init__(layers)
        self.spec = spec
        if topology.saturation is not None:
            for module in self.modules():
                if isinstance(module, nn.Conv2d | nn.Linear):
                    nn.init.xavier_uniform_(module.weight)
                    assert module.bias is not None
                    nn.init.zeros_(module.bias)
