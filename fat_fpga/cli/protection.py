"""How memories are protected, from the arguments."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fat_fpga.campaign.rates import Scrubbing


def protection_of(args: argparse.Namespace) -> str:
    """The text form of the protection that is asked for, empty for none; CampaignError for what is about one, without
    ``--protect``."""
    from fat_fpga.errors import CampaignError
    from fat_fpga.faults.protection import OnDetect, Protection

    if args.protect is None:
        for given in ("interleave", "on_detect"):
            if getattr(args, given) is not None:
                raise CampaignError(f"--{given.replace('_', '-')} is about the words of a code: give --protect, too")
        return ""
    name, data = args.protect
    return str(Protection(name, data, args.interleave or 1, OnDetect(args.on_detect or OnDetect.KEEP.value)))


def scrubbing_of(args: argparse.Namespace) -> Scrubbing | None:
    """The intervals that are asked for; CampaignError unless there are rates, or intervals and a rate of upsets."""
    from fat_fpga.campaign.rates import Scrubbing
    from fat_fpga.errors import CampaignError

    if args.scrub is None and args.upset_rate is None:
        if args.rates is None:
            raise CampaignError("a sweep takes --rates, or --scrub and --upset-rate")
        return None
    if args.rates is not None:
        raise CampaignError("--scrub and --upset-rate decide the rates: leave --rates out")
    if args.scrub is None or args.upset_rate is None:
        raise CampaignError("--scrub and --upset-rate belong together: an interval in hours, and upsets in an hour")
    return Scrubbing(args.upset_rate, args.scrub)
