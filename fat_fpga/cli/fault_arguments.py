"""The arguments that say which faults: the same for every command that takes some."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fat_fpga.cli.numbers import confidence, count, margin
from fat_fpga.cli.options import FOLDING, option
from fat_fpga.cli.parser import Parser, names

if TYPE_CHECKING:
    from fat_fpga.campaign import Selection
    from fat_fpga.campaign.sample_plan import SamplePlan
    from fat_fpga.faults import AnySubject, Effect, FaultSpace

SAMPLING = {
    "seed": "the seed of a sample",
    "stratify": "how to draw a sample",
    "per_stratum": "for a stratified sample",
}
"""Options that need ``--sample``, and what each is."""
PLANNING = ("confidence", "data_aware", "pilot")
"""Options that need ``--margin``."""
NEGATIVE = re.compile(r"-(?:\.?\d|inf|nan)[\s\S]*", re.IGNORECASE)
"""What begins as a negative number does. No option is called so; what it is worth, the type of its option says."""


def joined(arguments: Sequence[str]) -> list[str]:
    """The arguments with values that start as a negative number tied to their option, as argparse wants them:
    ``--values=-1,+1`` for ``--values -1,+1``."""
    found: list[str] = []
    for argument in arguments:
        if found and NEGATIVE.fullmatch(argument) and re.fullmatch(r"--[a-z][a-z0-9-]*", found[-1]):
            found[-1] += f"={argument}"
        else:
            found.append(argument)
    return found


def add_fault_arguments(parser: Parser) -> argparse.Action:
    """The arguments that `space_of` and `selection_of` read; returns that of the kinds."""
    group = parser.add_argument_group("which faults")
    kinds = option(group, "--faults")
    for name in ("--layers", "--effects", "--values"):
        option(group, name)
    option(group, "--folding", "; needed for faults of PEs")
    option(group, "--thresholds")
    option(group, "--sample")
    option(group, "--seed")
    group.add_argument(
        "--stratify", "--strata", metavar="AXIS[,AXIS]", type=names,
        help="draw from each stratum on its own: kind, kind,layer or kind,layer,bit",
    )  # fmt: skip
    group.add_argument("--per-stratum", metavar="N", type=count, help="at least N of each stratum (default: 2)")
    group.add_argument(
        "--margin", metavar="E", type=margin,
        help="instead of --sample: as many as it takes to know the share of critical faults of each stratum to +-E",
    )  # fmt: skip
    group.add_argument("--confidence", metavar="P", type=confidence, help="with so many percent (default: 95)")
    group.add_argument(
        "--data-aware", action="store_true", default=None,
        help="start with numbers that follow from what flips of each bit change, instead of a share of 0.5",
    )  # fmt: skip
    group.add_argument(
        "--pilot",
        metavar="N",
        type=count,
        help="start with N of each stratum, and draw more where the margin is missed",
    )
    return kinds


def space_of(args: argparse.Namespace, network: AnySubject, kinds: Sequence[str], frames: int | None) -> FaultSpace:
    """The faults of these kinds that the arguments ask for.

    Args:
        frames: number of images.

    Raises:
        FaultError, ModelError: there are no such kinds, layers, effects or values, or the folding does not fit.
    """
    from fat_fpga.errors import FaultError
    from fat_fpga.faults import FaultSpace, fault_model, fault_space

    pes = folding_of(args, network)
    spaces = []
    for kind in dict.fromkeys(kinds):
        if fault_model(kind).traits.needs_folding and pes is None:
            raise FaultError(f"faults of kind {kind} need --folding, the {FOLDING}")
        space = fault_space(network, kind, args.layers, effects_of(args, kind), pes, frames)
        if not len(space):
            raise FaultError(f"no faults of kind {kind} are left by --effects, --values and --layers")
        spaces.append(space)
    found = FaultSpace(block for space in spaces for block in space.blocks)
    check_effects(args, found)
    return found


def folding_of(args: argparse.Namespace, network: AnySubject) -> dict[str, int] | None:
    """PEs of each unit by name, if a folding was given."""
    from fat_fpga.errors import FaultError
    from fat_fpga.network import Network, read_folding

    if not args.folding:
        return None
    if not isinstance(network, Network):
        raise FaultError(f"--folding: {network.name} is a module, and has no PEs")
    return read_folding(args.folding, network)


def effects_of(args: argparse.Namespace, kind: str) -> list[Effect] | None:
    """The effects asked for; None for the default of the kind."""
    from fat_fpga.faults import Effect, fault_model
    from fat_fpga.faults.fault import FLIP, STUCK_BIT

    if not fault_model(kind).traits.bits:
        return None if args.values is None else [Effect(value) for value in args.values]
    return {None: None, "flip": [FLIP], "stuck": [*STUCK_BIT], "all": [FLIP, *STUCK_BIT]}[args.effects]


def check_effects(args: argparse.Namespace, space: FaultSpace) -> None:
    """FaultError for an argument that none of the kinds takes, or a value that no layer has."""
    from fat_fpga.errors import FaultError

    if args.effects and not any(block.bits for block in space.blocks):
        raise FaultError("--effects is about bits; choose activation levels with --values")
    if args.values is None:
        return
    if all(block.bits for block in space.blocks):
        raise FaultError("--values are activation levels; choose what happens to bits with --effects")
    held = {effect.value for block in space.blocks if not block.bits for effect in block.effects}
    missing = [value for value in args.values if value not in held]
    if missing:
        raise FaultError(f"--values: {missing[0]:+d} is an activation level of none of these layers")


def check_sampling(args: argparse.Namespace) -> None:
    """CampaignError for an option that says how to draw a sample where none is asked for."""
    from fat_fpga.errors import CampaignError

    if args.margin is not None:
        for given in ("sample", "per_stratum"):
            if getattr(args, given) is not None:
                raise CampaignError(f"--margin decides how many faults are drawn: leave --{_spelt(given)} out")
        return
    for given in PLANNING:
        if getattr(args, given) is not None:
            raise CampaignError(f"--{_spelt(given)} is for a sample with a margin: give --margin, too")
    for given, what in SAMPLING.items():
        if args.sample is None and getattr(args, given) is not None:
            raise CampaignError(f"--{_spelt(given)} is {what}: give --sample, too")


def _spelt(given: str) -> str:
    return given.replace("_", "-")


def plan_of(args: argparse.Namespace) -> SamplePlan | None:
    """The plan of a sample that the arguments ask for; None where they give no margin."""
    from fat_fpga.campaign.sample_plan import SamplePlan

    check_sampling(args)
    if args.margin is None:
        return None
    return SamplePlan(
        float(args.margin),
        95.0 if args.confidence is None else float(args.confidence),
        tuple(args.stratify or ("kind",)),
        bool(args.data_aware),
        args.pilot,
        args.seed or 0,
    )


def selection_of(args: argparse.Namespace, space: FaultSpace, network: AnySubject) -> Selection:
    """The whole space, or the sample that the arguments ask for (of a margin the first round); CampaignError for a
    sample of nothing."""
    from fat_fpga.campaign import Selection
    from fat_fpga.campaign.selection import LEAST
    from fat_fpga.errors import CampaignError

    plan = plan_of(args)
    if plan is not None:
        return plan.selection(space, network)
    if args.sample is None:
        return Selection.of(space)
    if args.stratify is None:
        if args.per_stratum is not None:
            raise CampaignError("--per-stratum is for a stratified sample: give --stratify kind,layer, too")
        return Selection.sample(space, args.sample, args.seed or 0)
    least = LEAST if args.per_stratum is None else args.per_stratum
    return Selection.stratified(space, args.sample, args.seed or 0, args.stratify, least)
