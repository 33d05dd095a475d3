"""Which faults a campaign takes, and how that list came about: what a reader needs to judge its figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fat_fpga.errors import CampaignError
from fat_fpga.faults import AnyFault, Fault, FaultSpace
from fat_fpga.faults.block import Block

SPACE, LIST = "space", "list"
SETS = "set of "
FEW = 3
"""So many kinds or places are named, more are counted."""
MANY = 4
"""So many values are written out, more as the first and the last."""


def kind_of(fault: AnyFault) -> str:
    """What a run calls the kind of a fault: its kind, or ``set of channel+pixel`` for several faults at once."""
    return fault.kind if isinstance(fault, Fault) else f"{SETS}{fault.kind}"


@dataclass(frozen=True)
class Origin:
    """How a fault list came about. Texts are for people; several things are separated by commas.

    Attributes:
        source: ``space``: every fault of a space, or a sample of it; ``list``: somebody gave a list.
        kinds: of the faults.
        places: layers, pools, ``input``, or ``*``.
        effects: what was enumerated: ``stuck at -1, +1``; empty for a list.
        folding: PEs of each layer, where the space has faults of PEs: ``conv0 16, conv1 32``.
        space: number of faults in the space; None for a list.
        sample: number of faults asked for as a sample; None where all were.
        seed: of the sample.
    """

    source: str
    kinds: str
    places: str
    effects: str = ""
    folding: str = ""
    space: int | None = None
    sample: int | None = None
    seed: int | None = None

    @property
    def drawn(self) -> bool:
        """Whether the faults are fewer than their space holds, so that figures over them are estimates."""
        return self.space is not None and self.sample is not None and self.sample < self.space

    def describe(self, realised: int) -> str:
        """One line on a list of so many faults: ``10,000 of 1,542,848 weight faults, drawn ...``."""
        if self.source == LIST:
            return f"a list of {realised:,}{self._kinds} fault{'' if realised == 1 else 's'}{self._where}"
        if self.drawn:
            return (
                f"{realised:,} of {self.space:,}{self._kinds} faults{self._where}, drawn without replacement, "
                f"seed {self.seed}"
            )
        asked = f"; {self.sample:,} were asked for" if self.sample is not None and self.sample > realised else ""
        return f"all {realised:,}{self._kinds} faults{self._where}{asked}"

    @property
    def _kinds(self) -> str:
        names = self.kinds.split(",")
        if any(name.startswith(SETS) for name in names):
            return ""
        return f" {' and '.join(names)}" if len(names) <= FEW else ""

    @property
    def _where(self) -> str:
        names = self.places.split(",")
        where = f" in {', '.join(names)}" if len(names) <= FEW else f" in {len(names)} places"
        return where + (f" ({self.effects})" if self.effects else "")


@dataclass(frozen=True)
class Selection:
    """A list of faults that knows how it came about.

    >>> from fat_fpga.campaign import Selection, run_campaign
    >>> from fat_fpga.faults import fault_space
    >>> faults = Selection.sample(fault_space(network, "weight"), 10_000, seed=0)   # doctest: +SKIP
    >>> run = run_campaign(network, data, faults, "weights.run")                    # doctest: +SKIP
    """

    faults: Sequence[AnyFault]
    origin: Origin

    @classmethod
    def of(cls, faults: Sequence[AnyFault] | Selection) -> Selection:
        """Itself, every fault of a space, or a list that nothing is known about."""
        if isinstance(faults, Selection):
            return faults
        if isinstance(faults, FaultSpace):
            return cls(faults, _origin(faults))
        kinds = _joined(map(kind_of, faults))
        return cls(faults, Origin(LIST, kinds, _joined(part.layer for fault in faults for part in fault.faults)))

    @classmethod
    def sample(cls, space: FaultSpace, count: int, seed: int = 0) -> Selection:
        """``count`` different faults of a space, each as likely as any other; all of them if it has no more.

        Raises:
            CampaignError: ``count`` is less than one.
        """
        if count < 1:
            raise CampaignError(f"a sample takes at least one fault, got {count}")
        return cls(space.sample(count, seed), _origin(space, sample=count, seed=seed))


def _origin(space: FaultSpace, **sample: Any) -> Origin:
    return Origin(
        SPACE,
        _joined(block.kind for block in space.blocks),
        _joined(block.place for block in space.blocks),
        _effects(space.blocks),
        ", ".join(f"{block.place} {block.of}" for block in space.blocks if block.of is not None),
        len(space),
        **sample,
    )


def _joined(names: Iterable[str]) -> str:
    return ",".join(dict.fromkeys(names))


def _effects(blocks: Sequence[Block]) -> str:
    """The effects of each kind: ``stuck at -1, +1``, or ``channel stuck at -1, +1; weight flipped`` for several."""
    held: dict[str, dict[str, None]] = {block.kind: {} for block in blocks}
    flipped = set()
    for block in blocks:
        plus = "" if block.bits else "+"
        for value, flip in block.effects:
            if flip:
                flipped.add(block.kind)
            else:
                held[block.kind][f"{plus if value > 0 else ''}{value}"] = None
    texts = {}
    for kind, values in held.items():
        names = list(values)
        stuck = ", ".join(names) if len(names) <= MANY else f"{names[0]} to {names[-1]}"
        texts[kind] = " or ".join(["flipped"] * (kind in flipped) + [f"stuck at {stuck}"] * bool(names))
    if len(texts) == 1:
        return next(iter(texts.values()))
    return "; ".join(f"{kind} {effects}" for kind, effects in texts.items())
