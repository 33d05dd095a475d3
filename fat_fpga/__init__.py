"""fat_fpga: resilience toolkit for quantised neural networks on FPGAs.

>>> from fat_fpga import load_data, load_network, report_text, run_campaign
>>> network = load_network("tfc_w2a2")
>>> run = run_campaign(network, load_data("demo:mnist", limit=20))
>>> print(report_text(run))  # doctest: +SKIP

What most programs need can be imported from here; it is loaded when it is used first. Everything else is in the
packages, such as `fat_fpga.reports` and `fat_fpga.hardening`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from fat_fpga.campaign.result import Result
    from fat_fpga.campaign.run import Run
    from fat_fpga.campaign.runner import run_campaign
    from fat_fpga.campaign.selection import Selection
    from fat_fpga.campaign.statistics import statistics
    from fat_fpga.datasets.dataset import Dataset
    from fat_fpga.datasets.loading import load as load_data
    from fat_fpga.errors import FatFpgaError
    from fat_fpga.faults.fault import Fault, FaultSet
    from fat_fpga.faults.grammar import parse_fault
    from fat_fpga.faults.space import FaultSpace, fault_space
    from fat_fpga.hardening.harden import harden
    from fat_fpga.hardening.plan import Plan
    from fat_fpga.hardening.plan_file import read_plan, write_plan
    from fat_fpga.hardening.verify import verify
    from fat_fpga.network.files import load_network, write_qonnx
    from fat_fpga.network.folding import read_folding
    from fat_fpga.network.network import Network
    from fat_fpga.reports.comparison import compare
    from fat_fpga.reports.comparison_table import comparison_text
    from fat_fpga.reports.csv_file import write_csv
    from fat_fpga.reports.figures import write_figures
    from fat_fpga.reports.json_file import write_json
    from fat_fpga.reports.parquet_file import write_parquet
    from fat_fpga.reports.table import report_text

__all__ = [
    "Dataset",
    "FatFpgaError",
    "Fault",
    "FaultSet",
    "FaultSpace",
    "Network",
    "Plan",
    "Result",
    "Run",
    "Selection",
    "compare",
    "comparison_text",
    "fault_space",
    "harden",
    "load_data",
    "load_network",
    "parse_fault",
    "read_folding",
    "read_plan",
    "report_text",
    "run_campaign",
    "statistics",
    "verify",
    "write_csv",
    "write_figures",
    "write_json",
    "write_parquet",
    "write_plan",
    "write_qonnx",
]

_DOOR = {
    "Dataset": "datasets.dataset",
    "FatFpgaError": "errors",
    "Fault": "faults.fault",
    "FaultSet": "faults.fault",
    "FaultSpace": "faults.space",
    "Network": "network.network",
    "Plan": "hardening.plan",
    "Result": "campaign.result",
    "Run": "campaign.run",
    "Selection": "campaign.selection",
    "compare": "reports.comparison",
    "comparison_text": "reports.comparison_table",
    "fault_space": "faults.space",
    "harden": "hardening.harden",
    "load_data": "datasets.loading:load",
    "load_network": "network.files",
    "parse_fault": "faults.grammar",
    "read_folding": "network.folding",
    "read_plan": "hardening.plan_file",
    "report_text": "reports.table",
    "run_campaign": "campaign.runner",
    "statistics": "campaign.statistics",
    "verify": "hardening.verify",
    "write_csv": "reports.csv_file",
    "write_figures": "reports.figures",
    "write_json": "reports.json_file",
    "write_parquet": "reports.parquet_file",
    "write_plan": "hardening.plan_file",
    "write_qonnx": "network.files",
}
"""The module of each name; behind a colon what it is called there."""


def __getattr__(name: str) -> Any:
    if name not in _DOOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, inner = _DOOR[name].partition(":")
    found = globals()[name] = getattr(import_module(f"{__name__}.{module}"), inner or name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
