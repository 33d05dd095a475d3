"""Engines: each executes a network, fault-free and faulty, and all give the same answer to the last bit.

>>> from fat_fpga.engines import get
>>> session = get("native").open(network)                     # doctest: +SKIP
>>> outcome = session.run(images, labels, faults)             # doctest: +SKIP
"""

from fat_fpga.engines.block import Progress
from fat_fpga.engines.engine import Engine
from fat_fpga.engines.outcome import Outcome, over_images
from fat_fpga.engines.registry import default_engine, default_judges, forms, get, names, register
from fat_fpga.engines.session import Session

__all__ = [
    "Engine",
    "Outcome",
    "Progress",
    "Session",
    "default_engine",
    "default_judges",
    "forms",
    "get",
    "names",
    "over_images",
    "register",
]
