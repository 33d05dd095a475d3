"""How the injection probability p changes over a training (FAT paper, section IV-C: fixed, or modified on the way)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fat_fpga.errors import TrainingError

FORMS = "constant, linear:END, step:EPOCH=P,EPOCH=P,..."


class Schedule:
    """Gives p, in percent, for each epoch (from 0); ``needs_epochs`` says whether it must know how many there are."""

    needs_epochs = False

    def at(self, p: float, epoch: int, epochs: int) -> float:
        """The p of ``epoch`` out of ``epochs`` in a training that starts with ``p``."""
        raise NotImplementedError

    def probabilities(self) -> tuple[float, ...]:
        """Every p that stands in the schedule itself."""
        return ()


@dataclass(frozen=True)
class Constant(Schedule):
    """The p of the start throughout (the paper's methods 1 and 2)."""

    def at(self, p: float, epoch: int, epochs: int) -> float:
        """Return ``p``."""
        return p


@dataclass(frozen=True)
class Linear(Schedule):
    """From the p of the start in the first epoch to ``end`` in the last, by equal amounts."""

    end: float
    needs_epochs = True

    def at(self, p: float, epoch: int, epochs: int) -> float:
        """Interpolate; beyond the last epoch it stays at ``end``."""
        done = min(1.0, epoch / max(1, epochs - 1))
        return p + (self.end - p) * done

    def probabilities(self) -> tuple[float, ...]:
        """The ``end``."""
        return (self.end,)


@dataclass(frozen=True)
class Step(Schedule):
    """The p of the start up to the first of the ``changes``, (epoch, p) in ascending order, then what they say."""

    changes: tuple[tuple[int, float], ...]

    def at(self, p: float, epoch: int, epochs: int) -> float:
        """Return the p of the last change at or before ``epoch``."""
        return next((value for start, value in reversed(self.changes) if start <= epoch), p)

    def probabilities(self) -> tuple[float, ...]:
        """The p of each change."""
        return tuple(value for _, value in self.changes)


def _linear(end: str) -> Schedule:
    return Linear(float(end))


def _step(changes: str) -> Schedule:
    pairs = (change.split("=") for change in changes.split(","))
    found = tuple((int(epoch), float(p)) for epoch, p in pairs)
    starts = [start for start, _ in found]
    if starts != sorted(set(starts)) or starts[0] < 0:
        raise ValueError
    return Step(found)


_READERS: dict[str, Callable[[str], Schedule]] = {"linear": _linear, "step": _step}


def parse_schedule(text: str) -> Schedule:
    """Read a schedule: ``constant``, ``linear:10``, ``step:20=10,30=15`` (epochs from 0, p in percent).

    Raises:
        TrainingError: it has another form.
    """
    if text == "constant":
        return Constant()
    name, _, values = text.partition(":")
    try:
        return _READERS[name](values)
    except (KeyError, ValueError) as error:
        raise TrainingError(f"unknown schedule {text!r}; expected one of: {FORMS} (epochs ascending)") from error
