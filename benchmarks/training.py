"""A fault-aware training step of CNV W1A1 against a standard one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import torch

from fat_fpga import models
from fat_fpga.training import Recipe, insert_injectors
from fat_fpga.training.injection.places import find_places
from fat_fpga.training.step import train_step

P = 5.0


@dataclass(frozen=True)
class StepResult:
    """Time of a step as a ratio to the mean of the standard steps right before it and right behind it; medians.

    Attributes:
        fat2_to_sat: method 2, the layers taking turns.
        fat1_to_sat: method 1, all layers enabled: an upper bound for any one of them.
        sat_milliseconds: the standard step.
    """

    fat2_to_sat: float
    fat1_to_sat: float
    sat_milliseconds: float


def fat_step(rounds: int) -> StepResult:
    """Steps of 100 images in float32 on one core, channel errors at p = 5; ``rounds`` turns of every layer.

    A standard step runs the same network with every injector taken out, not only disabled. One core, because threads
    that wait for each other on a busy machine measure its scheduler.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    recipe = Recipe()
    model = models.build("cnv-w1a1").to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, fused=True)
    images = torch.rand(recipe.batch_size, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(10, (recipe.batch_size,))
    layers = range(len(find_places(model)))

    def seconds(enabled: Callable[[int], bool] | None = None) -> float:
        """Of one step; without an argument a standard one."""
        injectors = insert_injectors(model, "channel", P) if enabled else []
        for index, injector in enumerate(injectors):
            injector.enabled = bool(enabled and enabled(index))
        started = perf_counter()
        train_step(model, optimiser, images, labels, recipe)
        taken = perf_counter() - started
        for injector in injectors:
            injector.remove()
        return taken

    standard = [seconds(), seconds()][1:]
    ratios: dict[str, list[float]] = {"fat1": [], "fat2": []}
    for layer in [*layers] * rounds:
        for method, enabled in (("fat2", layer.__eq__), ("fat1", lambda index: True)):
            taken = seconds(enabled)
            standard.append(seconds())
            ratios[method].append(2 * taken / (standard[-2] + standard[-1]))
    torch.set_num_threads(threads)
    return StepResult(
        round(median(ratios["fat2"]), 3), round(median(ratios["fat1"]), 3), round(median(standard) * 1000, 1)
    )
