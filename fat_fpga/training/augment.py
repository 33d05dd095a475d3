"""Batches of training images: drawn in random order, cropped and flipped at random, a whole batch in one gather."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fat_fpga.training.recipe import Recipe


def epoch_generator(seed: int, epoch: int, purpose: int = 0) -> torch.Generator:
    """A CPU generator that depends on nothing but its arguments, so a resumed epoch draws what it always drew."""
    state = np.random.SeedSequence([seed, epoch, purpose]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0] >> 1))


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
        self._recipe = recipe

    def __len__(self) -> int:
        """Batches in an epoch: only full ones, or a single smaller one if the data set is that small."""
        return max(1, len(self._labels) // self._recipe.batch_size)

    def epoch(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one epoch of float32 images [B, C, H, W] in [0, 1], channels last in memory, with their labels."""
        order = torch.randperm(len(self._labels), generator=generator)
        for start in range(0, len(self) * self._recipe.batch_size, self._recipe.batch_size):
            chosen = order[start : start + self._recipe.batch_size]
            yield self._augmented(chosen, generator), self._labels[chosen.to(self._labels.device)]

    def _augmented(self, chosen: Tensor, generator: torch.Generator) -> Tensor:
        count = len(chosen)
        height, width = self._size
        padded_height, padded_width = self._padded_size
        corner = torch.randint(0, 2 * self._recipe.crop_padding + 1, (2, count, 1), generator=generator)
        rows = corner[0] + torch.arange(height)
        columns = corner[1] + torch.arange(width)
        if self._recipe.flip:
            mirrored = torch.rand(count, 1, generator=generator) < 0.5
            columns = torch.where(mirrored, columns.flip(1), columns)
        first = (chosen[:, None] * padded_height + rows) * padded_width
        wanted = (first[:, :, None] + columns[:, None, :]).flatten().to(self._pixels.device)
        picked = self._pixels.index_select(0, wanted).view(count, height, width, -1)
        return picked.permute(0, 3, 1, 2).float().div_(255)
