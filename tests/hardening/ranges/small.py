"""A small trained network and its data: four classes of blobs on 8x8 images."""

from __future__ import annotations

from collections import OrderedDict
from functools import cache

import numpy as np
import torch
from torch import nn

from fat_fpga.campaign.sweep import Sweep
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.modules import ModuleSubject

CLASSES = 4
ROW = (1, 8, 8)
SWEEP = Sweep(("weight",), (1e-4, 1e-3, 4e-3), samples=4)


def blobs(count: int, seed: int) -> Dataset:
    """Images uint8 [N, 1, 8, 8]: noise, and one bright quarter, whose number is the class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, count)
    images = rng.integers(0, 120, (count, *ROW))
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 2)
        image[0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += 80
    return Dataset("blobs", images.astype(np.uint8), labels.astype(np.int64), tuple("abcd"))


def plain_network() -> nn.Sequential:
    """Two convolutions and two fully connected layers, with fresh weights."""
    return nn.Sequential(
        OrderedDict(
            conv0=nn.Conv2d(1, 4, 3, padding=1),
            act0=nn.ReLU(),
            pool=nn.MaxPool2d(2),
            conv1=nn.Conv2d(4, 6, 3, padding=1),
            act1=nn.LeakyReLU(0.1),
            flatten=nn.Flatten(),
            fc2=nn.Linear(96, 16),
            act2=nn.ReLU(),
            fc3=nn.Linear(16, CLASSES),
        )
    )


@cache
def state() -> dict[str, torch.Tensor]:
    """The weights after a short training."""
    torch.manual_seed(0)
    model, data = plain_network(), blobs(512, 0)
    images = torch.tensor(data.images, dtype=torch.float32) / 255
    labels = torch.tensor(data.labels)
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    for start in range(0, 60 * 64, 64):
        chosen = torch.arange(start, start + 64) % len(labels)
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(images[chosen]), labels[chosen]).backward()
        optimiser.step()
    return model.state_dict()


def network() -> nn.Sequential:
    """The trained network, also as ``module:tests.hardening.ranges.small:network``."""
    model = plain_network()
    model.load_state_dict(state())
    return model.eval()


def subject() -> ModuleSubject:
    return ModuleSubject(network(), ROW, "small")
