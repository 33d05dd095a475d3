"""Selective replication: from a campaign to the cheapest network that keeps its promise."""

from fat_fpga.hardening.plan import Cost, Expected, Plan, UnitPlan
from fat_fpga.hardening.plan_file import read_plan, write_plan

__all__ = ["Cost", "Expected", "Plan", "UnitPlan", "read_plan", "write_plan"]
