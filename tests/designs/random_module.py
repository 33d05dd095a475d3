"""Random small PyTorch modules of many kinds, for tests that hold fast ways against the plain one."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fat_fpga.modules import ModuleSubject

CLASSES = 5


class Case(NamedTuple):
    """A subject and images for it."""

    subject: ModuleSubject
    images: npt.NDArray[np.uint8]


class Residual(nn.Module):
    """A block whose sum is made in place, as in torchvision, or not."""

    def __init__(self, channels: int, rng: random.Random) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, groups=rng.choice([1, channels]))
        self.norm1 = rng.choice([nn.BatchNorm2d(channels), nn.GroupNorm(1, channels)])
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.relu = nn.ReLU(inplace=rng.random() < 0.5)
        self.adds_in_place = rng.random() < 0.5

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(self.relu(self.norm1(self.conv1(x))))
        if self.adds_in_place:
            y += x
        else:
            y = y + x
        result: Tensor = self.relu(y)  # the same module a second time
        return result


class Convolutional(nn.Module):
    """Convolutions, norms, pools, residual blocks, a linear end."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        width = rng.choice([3, 4, 6])
        layers: list[nn.Module] = [nn.Conv2d(2, width, 3, padding=1), nn.BatchNorm2d(width)]
        layers += [rng.choice([nn.ReLU(inplace=True), nn.ReLU(), nn.Hardtanh(), nn.SiLU()])]
        layers += [rng.choice([nn.MaxPool2d(2), nn.AvgPool2d(2), nn.Identity()])]
        layers += [Residual(width, rng) for _ in range(rng.randrange(3))]
        layers += [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout()]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(4 * width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.classifier(self.features(x)))


class Attention(nn.Module):
    """Attention over the rows of an image, by hand or as an encoder layer."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.embed = nn.Linear(12, 8)
        self.whole = rng.random() < 0.5
        first = rng.random() < 0.5
        if self.whole:
            self.block: nn.Module = nn.TransformerEncoderLayer(
                8, 2, 12, batch_first=first, norm_first=rng.random() < 0.5
            )
        else:
            self.block = nn.MultiheadAttention(8, 2, batch_first=first)
        self.first = first
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        y = self.embed(x.transpose(1, 2).flatten(2))
        y = y if self.first else y.transpose(0, 1)
        y = self.block(y) if self.whole else y + self.block(y, y, y, need_weights=False)[0]
        y = self.norm(y)
        result: Tensor = self.head(y.mean(dim=1 if self.first else 0))
        return result


class Recurrent(nn.Module):
    """A GRU, LSTM or RNN over the rows of an image, or a cell in a loop."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.first = rng.random() < 0.5
        self.cell: nn.Module | None = nn.GRUCell(12, 6) if rng.random() < 0.25 else None
        kind = rng.choice([nn.GRU, nn.LSTM, nn.RNN])
        if self.cell is None:
            self.body = kind(12, 6, num_layers=rng.choice([1, 2]), batch_first=self.first)
        self.head = nn.Linear(6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.transpose(1, 2).flatten(2)
        if self.cell is not None:
            state = torch.zeros(len(rows), 6)
            for step in range(rows.shape[1]):
                state = self.cell(rows[:, step], state)
            return torch.as_tensor(self.head(state))
        found, _ = self.body(rows if self.first else rows.transpose(0, 1))
        result: Tensor = self.head(found[:, -1] if self.first else found[-1])
        return result


class Embedded(nn.Module):
    """Numbers of words in, a mean of their vectors, a linear end that shares the table."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.table = nn.Embedding(CLASSES, 7)
        self.inner = nn.Linear(7, 7)
        self.out = nn.Linear(7, CLASSES)
        if rng.random() < 0.5:
            self.out.weight = self.table.weight

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.out(torch.relu(self.inner(self.table(x).mean(dim=1))))
        return result


class Quantised(nn.Module):
    """Brevitas: bipolar or integer weights and activations."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        from brevitas.nn import QuantConv2d, QuantIdentity, QuantLinear, QuantReLU

        bits = rng.choice([2, 4, 8])
        self.enter = QuantIdentity(bit_width=8, return_quant_tensor=True)
        self.conv = QuantConv2d(2, 4, 3, weight_bit_width=bits, bias=False)
        self.relu = QuantReLU(bit_width=bits, return_quant_tensor=rng.random() < 0.5)
        self.pool = nn.AvgPool2d(2)
        self.fc = QuantLinear(4 * 4, CLASSES, weight_bit_width=bits, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.conv(self.enter(x)))
        y = y if isinstance(y, Tensor) else y.value
        result: Tensor = self.fc(self.pool(y).flatten(1))
        return result


KINDS: dict[str, Callable[[random.Random], nn.Module]] = {
    "convolutional": Convolutional,
    "attention": Attention,
    "recurrent": Recurrent,
    "embedded": Embedded,
    "quantised": Quantised,
}


def random_case(kind: str, seed: int, images: int = 8, device: str = "cpu") -> Case:
    """A random module of a kind, with random weights and images."""
    rng = random.Random(f"{kind} {seed}")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = KINDS[kind](rng)
        for name, buffer in module.named_buffers():
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2.0)
        module.eval().to(device)
    data = np.random.default_rng(seed)
    if kind == "embedded":
        return Case(
            ModuleSubject(module, (6,), kind, pixels="none", dtype="int64"),
            data.integers(0, CLASSES, (images, 6), dtype=np.uint8),
        )
    formats: dict[str, str] = {}
    if kind != "quantised" and rng.random() < 0.4:
        formats = {"weight": rng.choice(["Q2.6", "float16", "int8", "bfloat16"])}
        if rng.random() < 0.5:
            formats |= {"activation": rng.choice(["Q4.8", "bfloat16"])}
        if rng.random() < 0.5 and kind == "recurrent" and hasattr(module, "body"):
            formats |= {"state": "Q2.10"}
    size = {"convolutional": (2, 8, 8), "attention": (2, 5, 6), "recurrent": (2, 5, 6), "quantised": (2, 6, 6)}[kind]
    return Case(
        ModuleSubject(module, size, kind, formats=formats), data.integers(0, 256, (images, *size), dtype=np.uint8)
    )
