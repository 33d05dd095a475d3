"""Batches: every image once, cropped and flipped as a slow obvious way would, the same again from the same seed."""

from __future__ import annotations

import numpy as np
import torch

from fat_fpga.training.augment import Batches, epoch_generator
from tests.training.small import recipe

IMAGES = torch.from_numpy(np.random.default_rng(0).integers(1, 256, (23, 3, 8, 6), dtype=np.uint8))
LABELS = torch.arange(23)


def test_plain_batches_hold_every_image_once() -> None:
    batches = Batches(IMAGES, LABELS, recipe(batch_size=10, crop_padding=0, flip=False))
    epoch = list(batches.epoch(epoch_generator(1, 0)))
    assert len(epoch) == len(batches) == 2
    labels = torch.cat([labels for _, labels in epoch])
    assert len(set(labels.tolist())) == 20
    images = torch.cat([images for images, _ in epoch])
    assert torch.equal(images, IMAGES[labels].float() / 255)
    assert epoch[0][0].is_contiguous(memory_format=torch.channels_last)


def test_a_small_data_set_is_one_batch() -> None:
    batches = Batches(IMAGES, LABELS, recipe(batch_size=100, crop_padding=1))
    ((images, labels),) = batches.epoch(epoch_generator(1, 0))
    assert images.shape == (23, 3, 8, 6)
    assert sorted(labels.tolist()) == list(range(23))


def test_every_image_is_some_crop_or_its_mirror() -> None:
    padding = 2
    batches = Batches(IMAGES, LABELS, recipe(batch_size=20, crop_padding=padding, flip=True))
    padded = torch.nn.functional.pad(IMAGES, (padding,) * 4)
    seen = set()
    for epoch in range(5):
        for images, labels in batches.epoch(epoch_generator(1, epoch)):
            for image, label in zip((images * 255).round().to(torch.uint8), labels.tolist(), strict=True):
                places = [
                    (y, x, flipped)
                    for y in range(2 * padding + 1)
                    for x in range(2 * padding + 1)
                    for flipped in (False, True)
                    if torch.equal(_crop(padded[label], y, x, flipped), image)
                ]
                assert len(places) == 1
                seen.update(places)
    assert len(seen) > 35  # of 50, in 100 draws


def _crop(padded: torch.Tensor, y: int, x: int, flipped: bool) -> torch.Tensor:
    crop = padded[:, y : y + 8, x : x + 6]
    return crop.flip(2) if flipped else crop


def test_depends_on_seed_and_epoch_alone() -> None:
    batches = Batches(IMAGES, LABELS, recipe())

    def labels(seed: int, epoch: int) -> list[int]:
        return next(batches.epoch(epoch_generator(seed, epoch)))[1].tolist()

    first = labels(1, 2)
    torch.manual_seed(0)
    assert labels(1, 2) == first
    assert labels(1, 3) != first
    assert labels(2, 2) != first
