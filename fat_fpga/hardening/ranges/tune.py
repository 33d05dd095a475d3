"""FT-ClipAct: profiling, clipped activations, and the search of their thresholds, layer by layer.

Source: Hoang, Hanif, Shafique, FT-ClipAct, DATE 2020, section IV.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fat_fpga.arguments import checked
from fat_fpga.campaign.sweep import Sweep
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.hardening.ranges.profile import profile
from fat_fpga.hardening.ranges.record import Record
from fat_fpga.hardening.ranges.resilience import Correct, Resilience
from fat_fpga.hardening.ranges.search import Found, Rules, interval_search
from fat_fpga.modules import ModuleSubject
from fat_fpga.ranges.activation import Bounded
from fat_fpga.ranges.restricted import Ranges, restrict


@dataclass(frozen=True)
class TunedLayer:
    """The threshold of one activation.

    Attributes:
        name: of the activation.
        largest: ACT_max, its largest magnitude on the images.
        found: threshold, area, and what was tried.
    """

    name: str
    largest: float
    found: Found


@dataclass(frozen=True, eq=False)
class Tuned:
    """Thresholds of all activations.

    Attributes:
        ranges: what `restrict` takes.
        layers: in the order in which they were tuned.
        before: correct images of the module without bounds.
        at_largest: with every bound at ACT_max.
        after: with the thresholds.
    """

    ranges: Ranges
    layers: tuple[TunedLayer, ...]
    before: Correct
    at_largest: Correct
    after: Correct


@checked
def tune(
    subject: ModuleSubject,
    data: Dataset,
    sweep: Sweep,
    *,
    rules: Rules | None = None,
    axis: str = "linear",
    record: Path | None = None,
    tell: Callable[[str, float, float], None] | None = None,
) -> Tuned:
    """Find the threshold of every activation without a bound.

    The activations are tuned one after the other, from the first to the last. Those before have their thresholds, those
    after have ACT_max. Errors of one sample are the same at every threshold. The module of ``subject`` is not changed.

    Args:
        subject: the module.
        data: a part of the validation images, with labels. Test images would make the result better than it is.
        sweep: errors of one curve; rates above 0.
        rules: when the search of a layer ends.
        axis: of the area under the curve, see `Correct.area`.
        record: file of all measurements. A search that was stopped goes on with it, and ends with the same thresholds.
        tell: called with activation, threshold and area of each measurement.

    Raises:
        ModelError: the module has no activation without a bound.
        CampaignError: the record is that of another search; no area can be made of the rates.
    """
    rules = rules or Rules()
    shape = profile(subject, data.images)
    kept = Record(record, identity(subject, data, sweep))
    plain = Resilience(subject, data, sweep, axis)
    before = measured(kept, "unbounded", plain)
    bounded = with_ranges(subject, Ranges("clip", shape.bounds("layer")))
    resilience = Resilience(bounded, data, sweep, axis)
    bounds = {name: _bound(bounded, name) for name in shape.neurons}
    set_so_far: list[str] = []

    def area(name: str, threshold: float) -> float:
        bounds[name].fill_(_float32(threshold))
        found = resilience.area(measured(kept, _key(bounds, [*set_so_far, name]), resilience))
        if tell is not None:
            tell(name, threshold, found)
        return found

    layers: list[TunedLayer] = []
    at_largest = measured(kept, _key(bounds, set_so_far), resilience)

    for name in shape.neurons:
        largest = float(shape.layer(name))
        found = interval_search(partial(area, name), largest, rules)
        bounds[name].fill_(_float32(found.best.threshold))
        set_so_far.append(name)
        layers.append(TunedLayer(name, largest, found))
    after = measured(kept, _key(bounds, set_so_far), resilience)
    ranges = Ranges("clip", {name: bound.detach().cpu().clone() for name, bound in bounds.items()})
    return Tuned(ranges, tuple(layers), before, at_largest, after)


def measured(record: Record, key: str, resilience: Resilience) -> Correct:
    """What the record has, or else a measurement, which is added to it."""
    found = record.known(key)
    if found is None:
        found = resilience.correct()
        record.keep(key, found)
    return found


def identity(subject: ModuleSubject, data: Dataset, sweep: Sweep) -> dict[str, Any]:
    """What measurements depend on."""
    return {
        "network": subject.fingerprint,
        "data": data.fingerprint,
        "images": len(data),
        "errors": sweep.entry,
        "torch": torch.__version__,
    }


def with_ranges(subject: ModuleSubject, ranges: Ranges) -> ModuleSubject:
    """The subject with bounded activations and parameters; a copy."""
    own = subject.input
    return ModuleSubject(
        restrict(copy.deepcopy(subject.module), ranges),
        own.row,
        subject.name,
        formats=subject.formats,
        pixels=own.pixels,
        mean=own.mean,
        std=own.std,
        dtype=own.dtype,
    )


def _bound(subject: ModuleSubject, name: str) -> Tensor:
    part = subject.module.get_submodule(name)
    assert isinstance(part, Bounded)
    return part.bound


def _key(bounds: dict[str, Tensor], names: list[str]) -> str:
    """A name for a measurement: the bounds that are not ACT_max."""
    return "; ".join(f"{name}={float(bounds[name])!r}" for name in names) or "largest"


def _float32(value: float) -> float:
    """The value as a float32 holds it."""
    return float(torch.tensor(value, dtype=torch.float32))
