"""Whatever a campaign can inject."""

from __future__ import annotations

from fat_fpga.faults.fault import Fault, FaultSet
from fat_fpga.faults.pattern import Pattern

AnyFault = Fault | FaultSet | Pattern
"""A single fault, several at once, or errors at a rate."""
