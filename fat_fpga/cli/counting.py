"""What a campaign counts beside right and changed classes, from its arguments."""

from __future__ import annotations

import argparse


def counting_of(args: argparse.Namespace) -> tuple[str, ...]:
    """The names that `fat_fpga.engines.counts` knows; CampaignError for detectors without outcome classes."""
    from fat_fpga.engines.counts import OUTCOMES, PREDICTIONS
    from fat_fpga.engines.detectors import DETECTORS
    from fat_fpga.errors import CampaignError

    detectors = list(dict.fromkeys(args.detectors or ()))
    wrong = [name for name in detectors if name not in DETECTORS]
    if wrong:
        raise CampaignError(f"unknown detector '{wrong[0]}': known are {', '.join(DETECTORS)}")
    if detectors and not args.outcomes:
        raise CampaignError("--detectors are for outcome classes: give --outcomes, too")
    kept = (PREDICTIONS,) if args.keep_predictions else ()
    return (*((OUTCOMES, *detectors) if args.outcomes else ()), *kept)
