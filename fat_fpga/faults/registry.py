"""Every fault model, by kind; a new one is a file of its own and a line here, or a plug-in of another package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from fat_fpga.arguments import checked
from fat_fpga.errors import FaultError
from fat_fpga.faults.accumulator import AccumulatorBit
from fat_fpga.faults.activation import ActivationUpset
from fat_fpga.faults.any_fault import AnyFault
from fat_fpga.faults.changes import Change, ChangedThreshold
from fat_fpga.faults.channel import ChannelStuckAt
from fat_fpga.faults.element import ElementStuckAt
from fat_fpga.faults.entry import EntryBit
from fat_fpga.faults.factor import FactorBit
from fat_fpga.faults.foreign import foreign_model
from fat_fpga.faults.model import FaultModel
from fat_fpga.faults.offset import OffsetBit
from fat_fpga.faults.output import OutputBit
from fat_fpga.faults.pattern import Pattern
from fat_fpga.faults.pe import PeStuckAt
from fat_fpga.faults.pixel import PixelStuckAt
from fat_fpga.faults.state import StateUpset
from fat_fpga.faults.subject import AnySubject
from fat_fpga.faults.threshold import ThresholdBit
from fat_fpga.faults.weight import WeightBit
from fat_fpga.network import Network
from fat_fpga.plugins import PlugIns

_ALL: tuple[FaultModel, ...] = (
    ChannelStuckAt(),
    PixelStuckAt(),
    ElementStuckAt(),
    PeStuckAt(),
    WeightBit(),
    ThresholdBit(),
    AccumulatorBit(),
    ActivationUpset(),
    EntryBit(),
    FactorBit(),
    OffsetBit(),
)
_OF_MODULES: dict[str, FaultModel] = {model.kind: model for model in (OutputBit(), StateUpset())}
_OURS: dict[str, FaultModel] = {model.kind: model for model in _ALL}
_THEIRS = PlugIns("fat_fpga.faults", "fault kind", FaultError, lambda: {**_OURS, **_OF_MODULES}, foreign_model)


class _Models(Mapping[str, FaultModel]):
    """Ours in the order of the documentation, then those of other packages. These are imported when their model is
    looked up; FaultError where that fails."""

    def __getitem__(self, kind: str) -> FaultModel:
        found = _THEIRS.load(kind)
        return _OURS[kind] if found is None else found

    def __contains__(self, kind: object) -> bool:
        return kind in _OURS or kind in _THEIRS.names()

    def __iter__(self) -> Iterator[str]:
        return iter((*_OURS, *_THEIRS.names()))

    def __len__(self) -> int:
        return len(_OURS) + len(_THEIRS.names())


MODELS: Mapping[str, FaultModel] = _Models()
"""Every fault model by kind."""
OF_MODULES: Mapping[str, FaultModel] = _OF_MODULES
"""Fault models that only subjects which are no networks have faults of, by kind."""
DEFAULT_KIND = ChannelStuckAt.kind
"""What a campaign takes where no kind is said."""
DEFAULT_SWEPT = WeightBit.kind
"""What a sweep takes where no kind is said."""


def default_kind(network: AnySubject) -> str:
    """What a campaign on a network, or on another subject, takes where no kind is said."""
    return DEFAULT_KIND if isinstance(network, Network) else DEFAULT_SWEPT


def kinds_of(network: AnySubject) -> list[str]:
    """The kinds of fault that a network, or another subject, can have."""
    if isinstance(network, Network):
        return list(MODELS)
    return [kind for kind in known_kinds() if any(kind in place.cells for place in network.places.values())]


def is_ours(kind: str) -> bool:
    """Whether a kind is of this package, and hardware may know what it means without asking its model."""
    return kind in _OURS or kind in _OF_MODULES


def meets_thresholds(kind: str) -> bool:
    """Whether such faults are in threshold memories, or may be: models of other packages say it fault by fault."""
    return not is_ours(kind) or fault_model(kind).traits.change is ChangedThreshold


def known_kinds() -> list[str]:
    """Every kind that a text form may name."""
    return list(dict.fromkeys((*MODELS, *OF_MODULES)))


@checked
def fault_model(kind: str) -> FaultModel:
    """The model called ``kind``; FaultError lists the known ones, or says why the model of a package cannot be used."""
    if kind in OF_MODULES:
        return OF_MODULES[kind]
    try:
        return MODELS[kind]
    except KeyError:
        known = ", ".join(known_kinds())
        raise FaultError(
            f"unknown fault kind '{kind}': known are {known}; those of other packages once these are installed"
        ) from None


def changes_of(network: Network, faults: Iterable[AnyFault]) -> tuple[Change, ...]:
    """What faults that are present at once do to a network, in their order. They must exist: see `check_faults`."""
    models: dict[str, FaultModel] = {}  # looking one up asks for packages that add some
    found: list[Change] = []
    for fault in faults:
        for part in fault.faults:
            model = models.get(part.kind)
            if model is None:
                model = models[part.kind] = fault_model(part.kind)
            found += model.changes(network, part)
    return tuple(found)


@checked
def check_faults(network: AnySubject, faults: Sequence[AnyFault], images: int | None = None) -> None:
    """FaultError for the first fault that does not exist in the network, or hits none of so many images.

    Every engine calls it before it runs anything; so it is here that a network with a fault of its own is refused.
    """
    if network.fault:
        raise FaultError(
            f"{network.name} has the fault {network.fault} in it: an engine that is opened on it adds that fault"
        )
    for fault in faults:
        if isinstance(fault, Pattern):
            from fat_fpga.faults.parts import parts_of  # it looks models up here

            parts_of(network, fault)
            continue
        for part in fault.faults:
            fault_model(part.kind).block_of(network, part).check(part)
            if images is not None and part.frame is not None and part.frame >= images:
                raise FaultError(f"{part}: there are images 0 to {images - 1}")
