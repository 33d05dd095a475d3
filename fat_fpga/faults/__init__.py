"""Faults: addresses and effects, what they do to a network, and spaces of them."""

from fat_fpga.faults.any_fault import AnyFault
from fat_fpga.faults.changes import Change, changed_stream, changed_unit
from fat_fpga.faults.expand import expand
from fat_fpga.faults.fault import Effect, Fault, FaultSet
from fat_fpga.faults.grammar import parse_fault
from fat_fpga.faults.memory_fingerprint import memory_fingerprint
from fat_fpga.faults.model import FaultModel
from fat_fpga.faults.pattern import Pattern
from fat_fpga.faults.place import Cells, Place, place_of, places
from fat_fpga.faults.registry import DEFAULT_KIND, MODELS, changes_of, check_faults, fault_model
from fat_fpga.faults.space import FaultSpace, fault_space
from fat_fpga.faults.subject import AnySubject, Subject
from fat_fpga.faults.traits import Family, Traits

__all__ = [
    "DEFAULT_KIND",
    "MODELS",
    "AnyFault",
    "AnySubject",
    "Cells",
    "Change",
    "Effect",
    "Family",
    "Fault",
    "FaultModel",
    "FaultSet",
    "FaultSpace",
    "Pattern",
    "Place",
    "Subject",
    "Traits",
    "changed_stream",
    "changed_unit",
    "changes_of",
    "check_faults",
    "expand",
    "fault_model",
    "fault_space",
    "memory_fingerprint",
    "parse_fault",
    "place_of",
    "places",
]
