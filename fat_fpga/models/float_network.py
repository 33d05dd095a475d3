"""Networks of floats of the family, for fixed point: no quantiser is in them."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from fat_fpga.models.topology import BottleneckStage, Convolution, NetworkSpec


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
            _convolution(layers, f"conv{index}", channels, convolution, topology.norm, topology.saturation, dropout)
            channels = convolution.channels
            height, width = convolution.side(height), convolution.side(width)
        for index, block in enumerate(topology.blocks):
            assert isinstance(block, BottleneckStage)
            layers[f"block{index}"] = Bottleneck(channels, block)
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
            layers[f"{name}_act"] = _activation(topology.saturation)
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


class Bottleneck(nn.Module):
    """Three convolutions, whose result is added to the input, or to its 1x1 convolution; then a ReLU."""

    def __init__(self, channels: int, stage: BottleneckStage) -> None:
        super().__init__()
        branch: OrderedDict[str, nn.Module] = OrderedDict()
        _convolution(branch, "conv0", channels, Convolution(stage.width, kernel=1), True)
        _convolution(branch, "conv1", stage.width, Convolution(stage.width, stride=stage.stride, padding=1), True)
        branch["conv2"] = nn.Conv2d(stage.width, stage.channels, 1, bias=False)
        branch["conv2_norm"] = nn.BatchNorm2d(stage.channels)
        self.branch = nn.Sequential(branch)
        self.shortcut: nn.Module = nn.Identity()
        if stage.layers(channels) > 3:
            self.shortcut = nn.Sequential(
                OrderedDict(
                    conv=nn.Conv2d(channels, stage.channels, 1, stride=stage.stride, bias=False),
                    norm=nn.BatchNorm2d(stage.channels),
                )
            )
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Compute the sum of both branches, its negative values set to zero."""
        result: Tensor = self.act(self.branch(x) + self.shortcut(x))
        return result


def _convolution(
    layers: OrderedDict[str, nn.Module],
    name: str,
    channels: int,
    convolution: Convolution,
    norm: bool,
    saturation: float | None = None,
    dropout: float = 0.0,
) -> None:
    """Add a convolution and what is behind it."""
    layers[name] = nn.Conv2d(
        channels,
        convolution.channels,
        convolution.kernel,
        stride=convolution.stride,
        padding=convolution.padding,
        bias=not norm,
    )
    if norm:
        layers[f"{name}_norm"] = nn.BatchNorm2d(convolution.channels)
    layers[f"{name}_act"] = _activation(saturation)
    if convolution.pool is not None:
        layers[f"{name}_pool"] = nn.MaxPool2d(*convolution.pool, padding=convolution.pool_padding)
    if dropout:
        layers[f"{name}_drop"] = nn.Dropout(dropout)


def _activation(saturation: float | None) -> nn.Module:
    return nn.ReLU() if saturation is None else nn.Hardtanh(0.0, saturation)
