"""The steps of an epoch, one after the other: called one by one, or replayed as CUDA graphs."""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from fat_fpga.training.augment import Batches, Draw
from fat_fpga.training.recipe import Recipe
from fat_fpga.training.step import train_step


class Steps:
    """Steps on any device, their operations called one by one.

    Attributes:
        optimiser: the recipe's, over the model's parameters.
        loss: float32, of the last step.
        loss_sum: float32, of the steps of this epoch.
        correct: int64, images of this epoch that were classified correctly in training.
    """

    def __init__(self, model: nn.Module, batches: Batches, recipe: Recipe, device: torch.device) -> None:
        self._model, self._batches, self._recipe, self._device = model, batches, recipe, device
        self.optimiser = self._make_optimiser()
        self.loss, self.loss_sum = torch.zeros((), device=device), torch.zeros((), device=device)
        self.correct = torch.zeros((), dtype=torch.int64, device=device)
        self._next: Iterator[Draw] = iter(())
        self._rates: Iterator[float] = iter(())

    def at_work(self) -> AbstractContextManager[Any]:
        """What everything that touches the model on the device has to be done in."""
        return nullcontext()

    def start(self, draws: Iterator[Draw], rates: Sequence[float], form: Hashable) -> None:
        """Begin an epoch.

        Args:
            draws: what is random about the images of each step.
            rates: learning rate of each step.
            form: two epochs of equal form run the same operations in a step; in others, other errors are injected.
        """
        self._next, self._rates = iter(draws), iter(rates)
        self.loss_sum.zero_()
        self.correct.zero_()

    def step(self) -> None:
        """Do the next step."""
        for group in self.optimiser.param_groups:
            group["lr"] = next(self._rates)
        self._learn(next(self._next).to(self._device))

    def _make_optimiser(self) -> torch.optim.Optimizer:
        if self._recipe.optimiser == "adadelta":
            return torch.optim.Adadelta(self._model.parameters(), lr=self._recipe.learning_rate)
        return torch.optim.Adam(self._model.parameters(), lr=self._recipe.learning_rate, fused=True)

    def _learn(self, draw: Draw) -> None:
        images, labels = self._batches.batch(draw)
        loss, scores = train_step(self._model, self.optimiser, images, labels, self._recipe)
        self.loss.copy_(loss)
        self.loss_sum += loss
        self.correct += (scores.argmax(dim=1) == labels).sum()


class GraphSteps(Steps):
    """Steps on a CUDA device: the operations of a step are recorded once and replayed with one call.

    A step of CNV is some two hundred kernels, most of them shorter than the time it takes to call them from Python.
    What differs between steps (images, learning rate) is read on the device from tables that are sent once an epoch.
    The first steps of each form are called one by one, on the same stream; they are steps like any other.
    Several networks, each with a stream of its own, fill a device that one of them leaves idle.
    """

    CALLED_FIRST = 3
    """Steps before one is recorded: the libraries choose their kernels, the optimiser makes its state."""

    def __init__(self, model: nn.Module, batches: Batches, recipe: Recipe, device: torch.device) -> None:
        self._rate = torch.tensor(recipe.learning_rate, device=device)
        super().__init__(model, batches, recipe, device)
        self._stream = torch.cuda.Stream(device)
        self._stream.wait_stream(torch.cuda.current_stream(device))
        self._pool = torch.cuda.graph_pool_handle()
        self._graphs: dict[Hashable, torch.cuda.CUDAGraph] = {}
        self._called: dict[Hashable, int] = {}
        self._form: Hashable = None
        self._index = torch.zeros(1, dtype=torch.int64, device=device)
        self._tables: list[Tensor] = []

    def at_work(self) -> AbstractContextManager[Any]:
        """The network's own stream."""
        return torch.cuda.stream(self._stream)

    def start(self, draws: Iterator[Draw], rates: Sequence[float], form: Hashable) -> None:
        """Begin an epoch, and send its tables."""
        every = list(draws)
        tables = [torch.stack(parts) for parts in zip(*((d.chosen, d.corner, d.mirrored) for d in every), strict=True)]
        tables.append(torch.tensor(rates, dtype=torch.float32))
        with self.at_work():
            super().start(iter(()), (), form)
            self._index.zero_()
            if not self._tables:
                self._tables = [table.to(self._device) for table in tables]
            for kept, table in zip(self._tables, tables, strict=True):
                kept.copy_(table)
        self._form = form

    def step(self) -> None:
        """Replay, or record after the first few."""
        with self.at_work():
            if self._form in self._graphs:
                self._graphs[self._form].replay()
            elif self._called.setdefault(self._form, 0) < self.CALLED_FIRST:
                self._called[self._form] += 1
                self._learn_next()
            else:
                self._graphs[self._form] = self._recorded(self._learn_next)
                self._graphs[self._form].replay()

    def _make_optimiser(self) -> torch.optim.Optimizer:
        if self._recipe.optimiser == "adadelta":
            return torch.optim.Adadelta(self._model.parameters(), lr=self._rate, capturable=True)
        return torch.optim.Adam(self._model.parameters(), lr=self._rate, fused=True, capturable=True)

    def _learn_next(self) -> None:
        chosen, corner, mirrored, rates = (table.index_select(0, self._index).squeeze(0) for table in self._tables)
        self._rate.copy_(rates)
        with torch.backends.cudnn.flags(enabled=True, benchmark=True, deterministic=False, allow_tf32=True):
            self._learn(Draw(chosen, corner, mirrored))
        self._index += 1

    def _recorded(self, operations: Callable[[], None]) -> torch.cuda.CUDAGraph:
        """Return a graph of ``operations``, which are not executed."""
        graph = torch.cuda.CUDAGraph()
        self._stream.synchronize()
        collects = gc.isenabled()
        gc.disable()  # a graph that is freed meanwhile would spoil the recording
        try:
            graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
            try:
                operations()
            finally:
                graph.capture_end()
        finally:
            if collects:
                gc.enable()
        return graph


def steps_for(model: nn.Module, batches: Batches, recipe: Recipe, device: torch.device) -> Steps:
    """Return the steps for a device."""
    return (GraphSteps if device.type == "cuda" else Steps)(model, batches, recipe, device)


def portable_state(optimiser: torch.optim.Optimizer) -> dict[str, Any]:
    """Return the optimiser's state with plain numbers for settings, as it is on a CPU."""
    state = optimiser.state_dict()
    for group in state["param_groups"]:
        group["lr"] = float(group["lr"])
        group["capturable"] = False
    return state


def load_state(optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Put a `portable_state` into an optimiser of any device, which keeps its own settings of the device."""
    own = ("lr", "capturable", "fused")
    kept = [{key: group[key] for key in own if key in group} for group in optimiser.param_groups]
    optimiser.load_state_dict(state)
    for group, settings in zip(optimiser.param_groups, kept, strict=True):
        group |= settings
