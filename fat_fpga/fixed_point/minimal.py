"""The smallest formats that lose no accuracy, in the order of a search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.fixed_point.float_model import FloatModel
from fat_fpga.fixed_point.formats import Formats
from fat_fpga.fixed_point.q_format import MOST_BITS, QFormat

Correct = Callable[[Formats], int]
"""How many images are classified correctly with some formats."""
Tell = Callable[["Trial"], None]


@dataclass(frozen=True)
class Trial:
    """Formats that were tried.

    Attributes:
        what: is being searched for: ``weights``, ``activations``, or those of a layer.
        formats: of all layers.
        correct: images that were classified correctly.
        enough: whether that is no loss.
    """

    what: str
    formats: Formats
    correct: int
    enough: bool


@dataclass
class Search:
    """A search for the smallest formats, from below.

    Bits before the point are searched for in words of `MOST_BITS`, then bits after the point. For the whole network:
    bits before the point of activations, of weights; bits after the point of weights, of activations. So no more bits
    are found than are needed with what was found before; another order may give others.

    Attributes:
        correct: counts.
        needed: images that have to be correct.
        tell: is told of each trial.
        trials: so far.
    """

    correct: Correct
    needed: int
    tell: Tell = lambda trial: None
    trials: list[Trial] = field(default_factory=list)

    def network(self, model: FloatModel) -> Formats:
        """One format for all weights and one for all activations.

        Raises:
            ModelError: not even words of `MOST_BITS` are enough.
        """
        weights = QFormat(bits_before(model), MOST_BITS - bits_before(model))
        activations = self._first(
            "activations", [Formats(weights, QFormat(m, MOST_BITS - m)) for m in range(1, MOST_BITS)]
        ).activations
        before = range(1, weights.integer_bits + 1)
        weights = self._first("weights", [Formats(QFormat(m, MOST_BITS - m), activations) for m in before]).weights
        weights = self._first("weights", [Formats(form, activations) for form in _shorter(weights)]).weights
        return self._first("activations", [Formats(weights, form) for form in _shorter(activations)])

    def layers(self, model: FloatModel, formats: Formats) -> Formats:
        """Formats of each layer, from those of the network on: weights layer by layer, then activations."""
        for kind, layers in (("weights", tuple(model.products)), ("activations", model.activated)):
            for layer in layers:
                form = formats.weights_of(layer) if kind == "weights" else formats.activations_of(layer)
                what = f"{kind} of {layer}"

                def changed(form: QFormat, kind: str = kind, layer: str = layer, so_far: Formats = formats) -> Formats:
                    return so_far.changed(layer, **{kind: form})

                before = [changed(QFormat(m, form.fraction_bits)) for m in _before(form)]
                formats = self._first(what, before)
                form = formats.weights_of(layer) if kind == "weights" else formats.activations_of(layer)
                formats = self._first(what, [changed(shorter) for shorter in _shorter(form)])
        return formats

    def _first(self, what: str, candidates: list[Formats]) -> Formats:
        """The first of several formats that is enough."""
        for formats in candidates:
            known = next((trial for trial in self.trials if trial.formats == formats), None)
            if known is None:
                correct = self.correct(formats)
                known = Trial(what, formats, correct, correct >= self.needed)
                self.trials.append(known)
                self.tell(known)
            if known.enough:
                return formats
        best = max(trial.correct for trial in self.trials)
        raise ModelError(
            f"no format of {MOST_BITS} bits keeps the accuracy: at most {best:,} images are correct, {self.needed:,} "
            "have to be; allow a loss with --until-loss"
        )


def bits_before(model: FloatModel) -> int:
    """Bits before the point, the sign among them, with which no weight is beyond the ends of its format."""
    largest = max(float(np.abs(product.weights).max(initial=0)) for product in model.products.values())
    fitting = (m for m in range(1, MOST_BITS) if largest <= 2.0 ** (m - 1))
    return next(fitting, MOST_BITS)


def _before(form: QFormat) -> list[int]:
    """Bits before the point, up to those of a format, with which words have 2 bits or more."""
    return [m for m in range(1, form.integer_bits + 1) if m + form.fraction_bits >= 2]


def _shorter(form: QFormat) -> list[QFormat]:
    """The formats with as many bits before the point and no more after it, from the shortest on."""
    return [QFormat(form.integer_bits, n) for n in range(form.fraction_bits + 1) if form.integer_bits + n >= 2]
