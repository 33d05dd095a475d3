"""How a fault list came about: what a reader needs to judge its figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from fat_fpga.errors import CampaignError
from fat_fpga.faults.strata import AXES, Key

SPACE, LIST, SWEEP = "space", "list", "sweep"
SETS, PATTERNS = "set of ", "pattern of "
FEW = 3
"""So many kinds or places are named, more are counted."""


@dataclass(frozen=True)
class Stratum:
    """A part of a fault space.

    Attributes:
        key: one word for each axis: ``("weight", "conv0")``.
        population: faults in it.
        drawn: how many of them are in the list.
    """

    key: Key
    population: int
    drawn: int


@dataclass(frozen=True)
class Strata:
    """A fault space by strata.

    Attributes:
        axes: what it is cut by, of ``fat_fpga.faults.strata.AXES``.
        parts: every stratum, in the order of the space.
        least: the least number of draws that each stratum was given; None where the list was drawn from the space as
            a whole, or is all of it, so that the strata only say how many faults there are.
    """

    axes: tuple[str, ...]
    parts: tuple[Stratum, ...]
    least: int | None = None

    @classmethod
    def read(cls, content: Any) -> Strata:
        """From what `asdict` gives, lists for tuples; CampaignError if it is anything else."""
        try:
            parts = tuple(Stratum(tuple(part["key"]), part["population"], part["drawn"]) for part in content["parts"])
            found = cls(tuple(content["axes"]), parts, content["least"])
            numbers = [number for part in parts for number in (part.population, part.drawn)]
            numbers += [] if found.least is None else [found.least]
            fits = (
                bool(parts)
                and bool(found.axes)
                and all(axis in AXES for axis in found.axes)
                and len({part.key for part in parts}) == len(parts)
                and all(len(part.key) == len(found.axes) and all(type(w) is str for w in part.key) for part in parts)
                and all(type(number) is int for number in numbers)
                and all(0 <= part.drawn <= part.population > 0 for part in parts)
            )
        except (TypeError, KeyError, AttributeError) as error:
            raise CampaignError(f"strata must have axes, parts and least, got {str(content)[:60]}") from error
        if not fits:
            raise CampaignError(f"strata of a sample do not fit together: {str(content)[:60]}")
        return found


@dataclass(frozen=True)
class Origin:
    """How a fault list came about. Texts are for people; several things are separated by commas.

    Attributes:
        source: ``space``: every fault of a space, or a sample of it; ``list``: somebody gave a list; ``sweep``: errors
            at several rates.
        kinds: of the faults.
        places: layers, pools, ``input``, or ``*``.
        effects: what was enumerated: ``stuck at -1, +1``; empty for a list.
        folding: PEs of each layer, where the space has faults of PEs: ``conv0 16, conv1 32``.
        space: number of faults in the space; None for a list.
        sample: number of faults asked for as a sample; None where all were.
        seed: of the sample.
        strata: the space by kind and layer, or by what a stratified sample was drawn by; None for a list, and in run
            files of older versions.
        plan: JSON of the plan that decides how many are drawn, or of the sweep; None where a number was asked for. See
            `fat_fpga.campaign.sample_plan` and `fat_fpga.campaign.sweep`.
    """

    source: str
    kinds: str
    places: str
    effects: str = ""
    folding: str = ""
    space: int | None = None
    sample: int | None = None
    seed: int | None = None
    strata: Strata | None = None
    plan: str | None = None

    @classmethod
    def of_entries(cls, entries: Mapping[str, Any]) -> Origin:
        """From the entries of a run file that are called as the attributes are.

        Raises:
            CampaignError: the entry ``strata`` is not what `entries` makes.
        """
        found = {field.name: entries[field.name] for field in fields(cls) if field.name in entries}
        if found.get("strata") is not None:
            try:
                found["strata"] = Strata.read(json.loads(found["strata"]))
            except (TypeError, ValueError, RecursionError) as error:
                raise CampaignError(f"the strata of a run must be JSON, got {str(found['strata'])[:60]}") from error
        return cls(**found)

    def entries(self) -> dict[str, str | int | None]:
        """Every attribute as one value that a run file keeps: ``strata`` as JSON, the others as they are."""
        strata = None if self.strata is None else json.dumps(asdict(self.strata))
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"strata": strata}

    @property
    def drawn(self) -> bool:
        """Whether the faults are fewer than their space holds, so that figures over them are estimates."""
        return self.space is not None and self.sample is not None and self.sample < self.space

    @property
    def whole(self) -> bool:
        """Whether the faults are all there are in their space."""
        return self.source == SPACE and not self.drawn

    @property
    def stratified(self) -> bool:
        """Whether each stratum was drawn from on its own."""
        return self.drawn and self.strata is not None and self.strata.least is not None

    @property
    def word(self) -> str:
        """What to call the faults: ``drawn``, ``given``, or nothing where they are all of their space."""
        return "drawn" if self.drawn else "given" if self.source == LIST else ""

    def counted(self, number: int) -> str:
        """So many of its faults: ``500 drawn faults``, ``1 given fault``; ``all 14 faults`` of a whole space."""
        return f"{'all' if self.whole else ''} {number:,} {self.word} fault{'' if number == 1 else 's'}".replace(
            "  ", " "
        ).strip()

    def describe(self, realised: int) -> str:
        """One line on a list of so many faults: ``10,000 of 1,542,848 weight faults, drawn ...``."""
        if self.source == SWEEP:
            return f"{realised:,} patterns of{self._kinds} errors at several rates"
        if self.source == LIST:
            return f"{realised:,} given{self._kinds} fault{'' if realised == 1 else 's'}{self._where}"
        if self.drawn:
            return (
                f"{realised:,} of {self.space:,}{self._kinds} faults{self._where}, drawn without replacement"
                f"{self._stratified}, seed {self.seed}"
            )
        asked = f"; {self.sample:,} were asked for" if self.sample is not None and self.sample > realised else ""
        return f"all {realised:,}{self._kinds} faults{self._where}{asked}"

    @property
    def _stratified(self) -> str:
        if not self.stratified or self.strata is None:
            return ""
        return f" from each of {len(self.strata.parts)} strata ({', '.join(self.strata.axes)})"

    @property
    def _kinds(self) -> str:
        names = self.kinds.split(",")
        if any(name.startswith((SETS, PATTERNS)) for name in names):
            return ""
        return f" {' and '.join(names)}" if len(names) <= FEW else ""

    @property
    def _where(self) -> str:
        names = self.places.split(",")
        where = f" in {', '.join(names)}" if len(names) <= FEW else f" in {len(names)} places"
        return where + (f" ({self.effects})" if self.effects else "")
