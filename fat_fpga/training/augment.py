"""Batches of training images: drawn in random order, cropped and flipped at random, a whole batch in one gather."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fat_fpga.training.recipe import Recipe


def epoch_generator(seed: int, epoch: int, purpose: int = 0) -> torch.Generator:
    """A CPU generator that depends on nothing but its arguments, so a resumed epoch draws what it always drew."""
    state = np.random.SeedSequence([seed, epoch, purpose]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0] >> 1))


@dataclass(frozen=True)
class Draw:
    """What is random about a batch of B images.

    Attributes:
        chosen: int64 [B], numbers of the images.
        corner: int64 [2, B], row and column of the crop in the padded image.
        mirrored: bool [B].
    """

    chosen: Tensor
    corner: Tensor
    mirrored: Tensor

    def to(self, device: torch.device) -> Draw:
        """Return the same on ``device``."""
        return Draw(*(part.to(device, non_blocking=True) for part in (self.chosen, self.corner, self.mirrored)))


class Batches:
    """The training images, kept on the device as uint8 pixels [N * (H + 2p) * (W + 2p), C] with p pixels of padding."""

    def __init__(self, images: Tensor, labels: Tensor, recipe: Recipe) -> None:
        """Take uint8 ``images`` [N, C, H, W] and int64 ``labels`` [N], both on the device to train on."""
        padding = recipe.crop_padding
        padded = functional.pad(images.permute(0, 2, 3, 1), (0, 0, padding, padding, padding, padding))
        self._padded_size = (padded.shape[1], padded.shape[2])
        self._pixels = padded.reshape(-1, padded.shape[3])
        self._labels = labels
        self._size = (images.shape[2], images.shape[3])
        self._rows, self._columns = (torch.arange(side, device=images.device) for side in self._size)
        self._recipe = recipe

    def __len__(self) -> int:
        """Batches in an epoch: only full ones, or a single smaller one if the data set is that small."""
        return max(1, len(self._labels) // self._recipe.batch_size)

    @property
    def images_in_epoch(self) -> int:
        """Images that an epoch trains on."""
        return min(len(self._labels), len(self) * self._recipe.batch_size)

    def draws(self, generator: torch.Generator) -> Iterator[Draw]:
        """Yield what is random about each batch of one epoch, on the CPU."""
        order = torch.randperm(len(self._labels), generator=generator)
        for start in range(0, len(self) * self._recipe.batch_size, self._recipe.batch_size):
            chosen = order[start : start + self._recipe.batch_size]
            count = len(chosen)
            corner = torch.randint(0, 2 * self._recipe.crop_padding + 1, (2, count, 1), generator=generator)
            mirrored = torch.zeros(count, dtype=torch.bool)
            if self._recipe.flip:
                mirrored = torch.rand(count, 1, generator=generator).flatten() < 0.5
            yield Draw(chosen, corner.flatten(1), mirrored)

    def batch(self, draw: Draw) -> tuple[Tensor, Tensor]:
        """Return float32 images [B, C, H, W] in [0, 1], channels last in memory, and their labels [B]."""
        count = len(draw.chosen)
        height, width = self._size
        padded_height, padded_width = self._padded_size
        rows = draw.corner[0, :, None] + self._rows
        columns = draw.corner[1, :, None] + torch.where(draw.mirrored[:, None], self._columns.flip(0), self._columns)
        first = (draw.chosen[:, None] * padded_height + rows) * padded_width
        wanted = (first[:, :, None] + columns[:, None, :]).flatten()
        picked = self._pixels.index_select(0, wanted).view(count, height, width, -1)
        return picked.permute(0, 3, 1, 2).float().div_(255), self._labels.index_select(0, draw.chosen)

    def epoch(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of one epoch."""
        for draw in self.draws(generator):
            yield self.batch(draw.to(self._pixels.device))
