"""Goals that several commands can be asked for: a promised worst case, or all best trades."""

from __future__ import annotations

from fat_fpga.cli import numbers
from fat_fpga.cli.options import Adds


def add_error_goals(goal: Adds) -> None:
    """``--worst-error`` and ``--worst-accuracy``."""
    goal.add_argument(
        "--worst-error", metavar="E", type=numbers.percent, help="at most so many percent wrong under any fault"
    )
    goal.add_argument("--worst-accuracy", metavar="A", type=numbers.percent, help="at least so many percent right")


def add_front_goal(goal: Adds) -> None:
    """``--front``."""
    goal.add_argument("--front", action="store_true", help="every best trade")
