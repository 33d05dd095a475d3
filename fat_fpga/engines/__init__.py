"""Engines: each executes a network, fault-free and faulty, and all give the same answer to the last bit."""

from fat_fpga.engines.engine import Engine, Outcome, Progress
from fat_fpga.engines.registry import NAMES, default_judges, get

__all__ = ["NAMES", "Engine", "Outcome", "Progress", "default_judges", "get"]
