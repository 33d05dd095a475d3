"""Which faults a campaign takes: every one of a space, a sample, or a list that somebody gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fat_fpga.arguments import checked
from fat_fpga.campaign.origin import LIST, PATTERNS, SETS, SPACE, Origin, Strata, Stratum
from fat_fpga.errors import CampaignError
from fat_fpga.faults import AnyFault, Fault, FaultSpace, Pattern
from fat_fpga.faults.block import Block
from fat_fpga.faults.strata import Key, draw_numbers, draw_strata, strata, stratum_of

BY = ("kind", "layer")
"""What every origin tells the faults of its space by; also what a stratified sample is drawn by unless told."""
LEAST = 2
"""Least draws of a stratum: two are the fewest that show how much they differ."""
MANY = 4
"""So many values are written out, more as the first and the last."""


def kind_of(fault: AnyFault) -> str:
    """What a run calls the kind of a fault: its kind, or ``set of channel+pixel`` for several faults at once,
    ``pattern of weight`` for errors at a rate."""
    if isinstance(fault, Pattern):
        return f"{PATTERNS}{fault.kind}"
    return fault.kind if isinstance(fault, Fault) else f"{SETS}{fault.kind}"


def places_of(fault: AnyFault) -> Sequence[str]:
    """The names of the places that a fault is at."""
    return fault.layers if isinstance(fault, Pattern) else [part.layer for part in fault.faults]


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

    def __repr__(self) -> str:
        return f"<Selection: {self.origin.describe(len(self.faults))}>"

    @classmethod
    @checked
    def of(cls, faults: Sequence[AnyFault] | Selection) -> Selection:
        """Itself, every fault of a space, or a list that nothing is known about."""
        if isinstance(faults, Selection):
            return faults
        if isinstance(faults, FaultSpace):
            return cls(faults, _origin(faults, faults))
        kinds = _joined(map(kind_of, faults))
        return cls(faults, Origin(LIST, kinds, _joined(name for fault in faults for name in places_of(fault))))

    @classmethod
    @checked
    def sample(cls, space: FaultSpace, count: int, seed: int = 0) -> Selection:
        """``count`` different faults of a space, each as likely as any other; all of them if it has no more.

        Raises:
            CampaignError: ``count`` is less than one.
        """
        count, seed = int(count), int(seed)  # NumPy's are no JSON
        _check_count(count)
        faults = space.sample(count, seed)
        return cls(faults, _origin(space, faults, sample=count, seed=seed))

    @classmethod
    def stratified(
        cls, space: FaultSpace, count: int, seed: int = 0, by: Sequence[str] = BY, least: int = LEAST
    ) -> Selection:
        """``count`` different faults of a space, drawn from each stratum on its own; all faults if there are no more.

        A stratum gets draws in proportion to its faults, but no fewer than ``least``, or all it has. Kinds are always
        strata of their own.

        Args:
            by: what the space is cut by, of ``fat_fpga.faults.strata.AXES``.

        Raises:
            CampaignError: ``count`` or ``least`` is less than one.
            FaultError: an unknown axis, or fewer draws than the strata need.
        """
        count, seed, least = int(count), int(seed), int(least)
        _check_count(count)
        if least < 1:
            raise CampaignError(f"each stratum takes at least one fault, got {least}")
        if count >= len(space):
            return cls(list(space), _origin(space, space, sample=count, seed=seed))
        axes = tuple(dict.fromkeys(("kind", *by)))
        return cls._of_strata(space, axes, draw_strata(space, axes, count, seed, least), seed, least)

    @classmethod
    def numbered(
        cls, space: FaultSpace, axes: Sequence[str], numbers: Mapping[Key, int], seed: int, plan: str
    ) -> Selection:
        """So many different faults of each stratum of a space, as a plan wants them.

        With larger numbers and the same seed it holds the same faults and more.

        Args:
            plan: as `Origin` keeps it.
        """
        drawn = draw_numbers(strata(space, axes), numbers, seed)
        found = cls._of_strata(space, tuple(axes), drawn, seed, LEAST)
        return cls(found.faults, replace(found.origin, plan=plan))

    @classmethod
    def _of_strata(
        cls, space: FaultSpace, axes: tuple[str, ...], drawn: Mapping[Key, Sequence[Fault]], seed: int, least: int
    ) -> Selection:
        populations = {key: len(part) for key, part in strata(space, axes).items()}
        found = Strata(axes, tuple(Stratum(key, populations[key], len(own)) for key, own in drawn.items()), least)
        faults = [fault for own in drawn.values() for fault in own]
        return cls(faults, replace(_origin(space, faults, sample=len(faults), seed=seed), strata=found))


def _check_count(count: int) -> None:
    if count < 1:
        raise CampaignError(f"a sample takes at least one fault, got {count}")


def _origin(space: FaultSpace, faults: Sequence[Fault], **sample: Any) -> Origin:
    populations = {key: len(part) for key, part in strata(space, BY).items()} if len(space) else {}
    drawn = populations if faults is space else Counter(stratum_of(fault, BY) for fault in faults)
    parts = tuple(Stratum(key, size, drawn.get(key, 0)) for key, size in populations.items())
    return Origin(
        SPACE,
        _joined(block.kind for block in space.blocks),
        _joined(block.place for block in space.blocks),
        _effects(space.blocks),
        ", ".join(f"{block.place} {block.of}" for block in space.blocks if block.of is not None),
        len(space),
        strata=Strata(BY, parts) if parts else None,
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
