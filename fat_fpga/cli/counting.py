"""What a campaign counts beside right and changed classes, from its arguments."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from fat_fpga.cli.options import Adds, option


def add_counting(parser: Adds) -> None:
    """The arguments that `counting_of` reads, but for those of a single command."""
    for name in ("--outcomes", "--detectors", "--top5", "--cost-matrix", "--keep-predictions"):
        option(parser, name)


def counting_of(args: argparse.Namespace, classes: Sequence[str] = ()) -> tuple[str, ...]:
    """The names that `fat_fpga.engines.counts` knows.

    Args:
        classes: names of the data set's classes, which a cost matrix may name, too.

    Raises:
        CampaignError: detectors without outcome classes.
        EngineError: the file of costs is no cost matrix of these classes.
        OSError: it cannot be read.
    """
    from fat_fpga.engines.counts import ERRORS, OUTCOMES, PREDICTIONS
    from fat_fpga.engines.criteria import TOP5, read_cost_matrix
    from fat_fpga.engines.detectors import DETECTORS
    from fat_fpga.errors import CampaignError

    detectors = list(dict.fromkeys(args.detectors or ()))
    wrong = [name for name in detectors if name not in DETECTORS]
    if wrong:
        raise CampaignError(f"unknown detector '{wrong[0]}': known are {', '.join(DETECTORS)}")
    if detectors and not args.outcomes:
        raise CampaignError("--detectors are for outcome classes: give --outcomes, too")
    found = [OUTCOMES, *detectors] if args.outcomes else []
    found += [ERRORS] * bool(getattr(args, "per_class", False)) + [TOP5] * args.top5
    if args.cost_matrix:
        found.append(read_cost_matrix(args.cost_matrix, classes).counting)
    return (*found, *[PREDICTIONS] * args.keep_predictions)
