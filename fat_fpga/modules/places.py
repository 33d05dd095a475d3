"""Places of a module: what each of its modules gives, its parameters, its hidden states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from fat_fpga.faults import Cells, Place
from fat_fpga.faults.activation import ActivationUpset
from fat_fpga.faults.output import OutputBit
from fat_fpga.faults.place import INPUT
from fat_fpga.faults.state import StateUpset
from fat_fpga.faults.weight import WeightBit
from fat_fpga.modules.calls import OPAQUE, STATE
from fat_fpga.modules.formats import Format, fitted, format_of
from fat_fpga.modules.formats.quantised import Quantised
from fat_fpga.modules.input import joined
from fat_fpga.modules.sites import Site, Where
from fat_fpga.network.layers import IntArray, Shape

if TYPE_CHECKING:
    from fat_fpga.modules.subject import ModuleSubject
    from fat_fpga.modules.survey import Stream

WEIGHT, ACTIVATION, OUTPUT, STATES = WeightBit.kind, ActivationUpset.kind, OutputBit.kind, StateUpset.kind
AXES_OF_WEIGHTS = len(WeightBit.traits.axes)
_MEMORIES = (Where.PARAMETER, Where.QUANTISED)
WEIGHT_QUANTISER = "weight_quant"
"""What Brevitas calls the module that quantises the weights of a layer."""


@dataclass(eq=False)
class Found:
    """What there is.

    Attributes:
        places: by name, in order.
        sites: by place and kind.
        rounded: parameters that are stored in a format that does not hold them as they are.
        stored: by the name of each module, or of a hidden state, the format that its output is stored in, where that
            is not its type.
        asked: keys of formats that fit a place.
        owned: memories that have a place: where they start, and how many words they have.
    """

    places: dict[str, Place] = field(default_factory=dict)
    sites: dict[tuple[str, str], Site] = field(default_factory=dict)
    rounded: list[tuple[Tensor, Format]] = field(default_factory=list)
    stored: dict[str, Format] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    owned: set[tuple[int, int]] = field(default_factory=set)

    def owns(self, tensor: Tensor) -> bool:
        """Whether the memory of a parameter has no place yet; from now on it has. A memory that several modules share
        is one of the first, so that its words are counted, and hit, once."""
        memory = tensor.data_ptr(), tensor.numel()
        new = not tensor.numel() or memory not in self.owned
        self.owned.add(memory)
        return new


def places_of(subject: ModuleSubject) -> Found:
    """The places of a module that was surveyed."""
    found = Found()
    dtype = subject.input.dtype
    sites = {}
    if dtype.startswith(("float", "bfloat")):
        form = subject.format_at(INPUT, ACTIVATION, found.asked)
        sites = _streams(Site(Where.INPUT, INPUT, subject.input.row, format_of(form or dtype), 0))
        if form is not None and form != dtype:
            found.stored[INPUT] = format_of(form)
    _add(found, subject, INPUT, INPUT, subject.input.shape, sites, False)
    for name, module in subject.modules.items():
        _module(found, subject, name, module)
    for name in subject.tensors:
        if "." not in name:
            _parameter(found, subject, name)
    return found


def _module(found: Found, subject: ModuleSubject, name: str, module: nn.Module) -> None:
    """A module, and after it its parameters."""
    stream = subject.survey.streams.get(name)
    sites: dict[str, Site] = {}
    opaque = type(module).__module__.startswith(OPAQUE)
    own = f"{name}.weight"
    quantiser = subject.survey.streams.get(f"{name}.{WEIGHT_QUANTISER}")
    if quantiser is not None and quantiser.quantised is not None and quantiser.axis is None and quantiser.calls == 1:
        form = Quantised.of(quantiser.quantised)
        sites[WEIGHT] = Site(Where.QUANTISED, f"{name}.{WEIGHT_QUANTISER}", quantiser.shape, form, most=AXES_OF_WEIGHTS)
    elif own in subject.tensors and subject.tensors[own].is_floating_point() and found.owns(subject.tensors[own]):
        sites[WEIGHT] = _stored(found, subject, name, own)
    if stream is not None and stream.axis is not None:
        sites |= _given(found, subject, name, stream)
    shape = _of_streams(sites) if OUTPUT in sites else _of_weights(sites)
    listed = bool(sites) and not (stream is not None and stream.passes and WEIGHT not in sites)
    listed = listed and (stream is None or stream.leaf or opaque or WEIGHT in sites)
    _add(found, subject, name, type(module).__name__, shape, sites, listed)
    prefix = f"{name}."
    for parameter in subject.tensors:
        if (
            parameter.startswith(prefix)
            and (opaque or "." not in parameter[len(prefix) :])
            and (parameter != own or WEIGHT not in sites)
        ):
            _parameter(found, subject, parameter, opaque)


def _given(found: Found, subject: ModuleSubject, name: str, stream: Stream) -> dict[str, Site]:
    """The sites of what a module gives, and of its hidden state."""
    if stream.quantised is not None:
        form: Format = Quantised.of(stream.quantised)
    else:
        own = str(stream.dtype).removeprefix("torch.")
        asked = subject.format_at(name, ACTIVATION, found.asked) or subject.format_at(name, OUTPUT, found.asked)
        form = format_of(asked or own)
        if not form.keeps(stream.dtype):
            found.stored[name] = form
    sites = _streams(Site(Where.OUTPUT, name, stream.shape, form, stream.axis, stream.calls))
    if stream.steps > 1:
        asked = subject.format_at(name, STATES, found.asked)
        state = format_of(asked or str(stream.dtype).removeprefix("torch."))
        if not state.keeps(stream.dtype):
            found.stored[name + STATE] = state
        sites[STATES] = Site(Where.STATE, name, stream.state, state, 1, stream.steps - 1)
    return sites


def _streams(site: Site) -> dict[str, Site]:
    """The same tensor for transients, which know the calls of a module apart, and for lasting faults, which do not."""
    lasting = Site(site.where, site.name, site.shape, site.format, site.axis)
    return {ACTIVATION: site, OUTPUT: lasting}


def _stored(found: Found, subject: ModuleSubject, place: str, name: str) -> Site:
    """The site of a parameter."""
    tensor = subject.tensors[name]
    asked = subject.format_at(place, WEIGHT, found.asked)
    form = format_of(str(tensor.dtype).removeprefix("torch.")) if asked is None else fitted(asked, tensor.detach())
    if not form.keeps(tensor.dtype):
        found.rounded.append((tensor, form))
    return Site(Where.PARAMETER, name, tuple(tensor.shape), form, most=AXES_OF_WEIGHTS)


def _parameter(found: Found, subject: ModuleSubject, name: str, opaque: bool = False) -> None:
    """A parameter that is a place of its own; buffers, and what is in quantisers, are there for those who name them."""
    tensor = subject.tensors[name]
    if not tensor.is_floating_point():
        return
    site = _stored(found, subject, name, name)
    listed = isinstance(tensor, nn.Parameter) and not opaque and name in subject.survey.reads
    listed = listed and found.owns(tensor)
    _add(found, subject, name, "parameter", _of_weights({WEIGHT: site}), {WEIGHT: site}, listed)


def _of_streams(sites: dict[str, Site]) -> Shape:
    """The least shape that has all indices of both kinds."""
    a, b = (joined(sites[kind].dims) for kind in (ACTIVATION, OUTPUT))
    return max(a[0], b[0]), max(a[1], b[1]), max(a[2], b[2])


def _of_weights(sites: dict[str, Site]) -> Shape:
    return joined(sites[WEIGHT].shape[:1]) if WEIGHT in sites else (1, 1, 1)


def _add(
    found: Found, subject: ModuleSubject, name: str, row_type: str, shape: Shape, sites: dict[str, Site], listed: bool
) -> None:
    cells = {
        kind: Cells(
            site.dims,
            site.format,
            site.where in _MEMORIES,
            _integers(subject, name, site) if site.where in _MEMORIES and site.format.maskable else None,
        )
        for kind, site in sites.items()
    }
    found.places[name] = Place(name, len(found.places) - 1, shape, None, None, listed, row_type, None, cells=cells)
    found.sites |= {(name, kind): site for kind, site in sites.items()}


def _integers(subject: ModuleSubject, place: str, site: Site) -> Callable[[], IntArray]:
    def stored() -> IntArray:
        if isinstance(site.format, Quantised):
            with torch.no_grad():
                found = subject.modules[site.name](subject.tensors[f"{place}.weight"])
                whole: IntArray = (found.value / found.scale + found.zero_point).round().cpu().numpy().astype(np.int32)
            return whole
        words = site.format.encode(subject.tensors[site.name].detach())
        return site.format.integers(words).reshape(-1).cpu().numpy().astype(np.int32)

    return stored
