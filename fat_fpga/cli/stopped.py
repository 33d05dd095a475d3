"""The last words of a campaign that was stopped with Ctrl-C."""

from __future__ import annotations

import os
import sys


def stopped(path: str | os.PathLike[str]) -> int:
    """Say on standard error how far the run file ``path`` is; returns the exit code, 130."""
    from fat_fpga.campaign import Run
    from fat_fpga.errors import CampaignError

    try:
        run = Run.open(path)
        how = f"{run.done:,} of {run.asked:,} faults are saved, the same command continues {path}"
    except CampaignError:
        how = "before the first fault, nothing was written"
    print(f"fat-fpga: stopped; {how}", file=sys.stderr)
    return 130
