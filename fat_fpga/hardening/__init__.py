"""Selective replication: from a campaign to the cheapest network that keeps its promise."""

from fat_fpga.hardening.harden import check_same_function, folding_of, harden
from fat_fpga.hardening.plan import Cost, Expected, Plan
from fat_fpga.hardening.plan_file import read_plan, write_plan
from fat_fpga.hardening.rewrite import rearranged
from fat_fpga.hardening.unit_plan import UnitPlan
from fat_fpga.hardening.verify import Verdict, Verification, verify

__all__ = [
    "Cost",
    "Expected",
    "Plan",
    "UnitPlan",
    "Verdict",
    "Verification",
    "check_same_function",
    "folding_of",
    "harden",
    "read_plan",
    "rearranged",
    "verify",
    "write_plan",
]
