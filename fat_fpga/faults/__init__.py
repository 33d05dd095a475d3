"""Fault addresses, fault models and fault spaces."""

from fat_fpga.faults.fault import Fault
from fat_fpga.faults.model import FaultModel
from fat_fpga.faults.space import MODELS, check_faults, fault_model, fault_space, fault_units

__all__ = ["MODELS", "Fault", "FaultModel", "check_faults", "fault_model", "fault_space", "fault_units"]
