"""A method of training at work in a network: in a training loop of your own, or in this package's trainer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from types import TracebackType

from torch import nn

from fat_fpga.errors import TrainingError
from fat_fpga.training.augment import epoch_generator
from fat_fpga.training.callbacks import Callback
from fat_fpga.training.methods import Method, make_method
from fat_fpga.training.schedule import parse_schedule


class FaultAware:
    """Error injection in a model, whose training loop says when an epoch begins.

    >>> aware = FaultAware(model, method="fat2", p=5, error_model="channel", seed=1)   # doctest: +SKIP
    >>> for epoch in range(epochs):                                                    # doctest: +SKIP
    ...     aware.start_epoch(epoch)
    ...     train_one_epoch(model)
    >>> aware.remove()                                                                 # doctest: +SKIP

    As a context manager it removes itself at the end. Before the first `start_epoch` nothing is injected. Which layers
    an epoch enables depends on the seed and the epoch alone; the errors are drawn from torch's global generator.

    Attributes:
        method: the recipe object.
        injectors: what was inserted, in the order of the model's activations; empty for method ``"sat"``.
        enabled: names of the modules behind which errors are injected in this epoch.
        p: probability of an error in this epoch, in percent.
    """

    def __init__(
        self,
        model: nn.Module,
        method: str | Method = "fat2",
        p: float | None = None,
        error_model: str | None = None,
        schedule: str | None = None,
        *,
        epochs: int | None = None,
        seed: int = 0,
        behind_pools: bool = True,
    ) -> None:
        """Insert the layers of a method into ``model``.

        Args:
            model: any module with Brevitas's activations, or ours.
            method: ``"sat"``, ``"fat1"``, ``"fat2"``, ``"dropout2d"``, or a recipe object, with the settings in it.
            p: probability of an error, in percent.
            error_model: ``"channel"`` (default), ``"pixel"`` or ``"element"``.
            schedule: of p; see `parse_schedule`.
            epochs: of the whole training, for a linear schedule.
            seed: of the choice of layers.
            behind_pools: see `insert_injectors`.

        Raises:
            ModelError: no quantised activations, or one whose levels are unknown.
            TrainingError: a bad setting, or injectors are in the model already.
        """
        if isinstance(method, Method):
            if (p, error_model, schedule) != (None, None, None):
                raise TrainingError("a method's recipe object holds p, error model and schedule; give them there")
            self.method = method
        else:
            self.method = make_method(method, p, error_model, schedule)
        if epochs is None and parse_schedule(self.method.schedule or "constant").needs_epochs:
            raise TrainingError(f"schedule {self.method.schedule!r} needs the number of epochs")
        self._epochs, self._seed = epochs or 1, seed
        self.injectors = tuple(self.method.insert(model, behind_pools))
        self.enabled: tuple[str, ...] = ()
        self.p = 0.0
        for injector in self.injectors:
            injector.enabled = False

    def start_epoch(self, epoch: int) -> None:
        """Enable the layers of ``epoch`` (from 0), disable the others, set p."""
        chosen = self.method.enabled(len(self.injectors), epoch_generator(self._seed, epoch, purpose=3))
        self.p = self.method.probability(epoch, self._epochs)
        for index, injector in enumerate(self.injectors):
            injector.enabled, injector.p = index in chosen, self.p
        self.enabled = tuple(injector.name for injector in self.injectors if injector.enabled)

    def remove(self) -> None:
        """Take the layers out of the model."""
        for injector in self.injectors:
            injector.remove()
        self.injectors = ()

    def __enter__(self) -> FaultAware:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.remove()


class MethodCallback(Callback):
    """`FaultAware` for the trainer: it adds the columns ``p`` and ``enabled`` to ``metrics.csv``, but not for SAT."""

    def __init__(self, method: Method, seed: int, epochs: int) -> None:
        self._method, self._seed, self._epochs = method, seed, epochs
        self._aware: FaultAware | None = None

    def on_train_start(self, model: nn.Module) -> None:
        """Insert the layers."""
        self._aware = FaultAware(model, self._method, epochs=self._epochs, seed=self._seed)

    def on_epoch_start(self, model: nn.Module, epoch: int) -> None:
        """Enable those of the epoch."""
        assert self._aware is not None
        self._aware.start_epoch(epoch)

    def form(self) -> Hashable:
        """The layers of the epoch, and p, which is a constant of the operations."""
        return None if self._aware is None else (self._aware.enabled, self._aware.p)

    def metrics(self) -> Mapping[str, float | str]:
        """Return p in percent, and the name of the module behind which errors were injected, or ``all``."""
        if self._aware is None or not self._aware.injectors:
            return {}
        everywhere = len(self._aware.enabled) == len(self._aware.injectors)
        return {"p": self._aware.p, "enabled": "all" if everywhere else " ".join(self._aware.enabled)}

    def on_train_end(self, model: nn.Module) -> None:
        """Take the layers out."""
        if self._aware is not None:
            self._aware.remove()
