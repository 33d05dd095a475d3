"""Networks of floats of the family as factories: ``module:fat_fpga.models.floats:alexnet_cifar_quarter``.

Their names have underscores in place of the hyphens. With ``--weights-file trained/last.pt`` a command takes the
network of a training.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from fat_fpga.models import build
from fat_fpga.models.float_family import float_topology


def __getattr__(name: str) -> Callable[[], Any]:
    """The factory of a network, with ten classes."""
    known = name.replace("_", "-")
    if float_topology(known) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return partial(build, known)
