"""Reports on campaigns, one by one or side by side: text, CSV, JSON and figures.

>>> from fat_fpga.campaign import Run
>>> from fat_fpga.reports import report_text, write_csv, write_figures, write_json
>>> run = Run.open("cnv_w1a1.run")                # doctest: +SKIP
>>> print(report_text(run))                       # doctest: +SKIP
>>> write_figures(run, "report")                  # doctest: +SKIP
>>> print(comparison_text(compare([run, other])))  # doctest: +SKIP
"""

from fat_fpga.reports.comparison import Comparison, Entry, Section, compare
from fat_fpga.reports.comparison_figures import COMPARISON_FIGURES, write_comparison_figures
from fat_fpga.reports.comparison_files import (
    COMPARISON_COLUMNS,
    comparison_json,
    write_comparison_csv,
    write_comparison_json,
)
from fat_fpga.reports.comparison_table import comparison_text
from fat_fpga.reports.csv_file import COLUMNS, write_csv
from fat_fpga.reports.figures import FIGURES, FORMATS, SWEEP_FIGURES, write_figures
from fat_fpga.reports.json_file import report_json, write_json
from fat_fpga.reports.parquet_file import check_parquet, write_parquet
from fat_fpga.reports.sweep_comparison import (
    SWEEP_COMPARISON_COLUMNS,
    SWEEP_COMPARISON_FIGURES,
    SweepComparison,
    are_sweeps,
    compare_sweeps,
    sweep_comparison_json,
    sweep_comparison_text,
    write_sweep_comparison_csv,
    write_sweep_comparison_figures,
    write_sweep_comparison_json,
)
from fat_fpga.reports.table import critical_table, headline, layer_table, overall_line, report_text

__all__ = [
    "COLUMNS",
    "COMPARISON_COLUMNS",
    "COMPARISON_FIGURES",
    "FIGURES",
    "FORMATS",
    "SWEEP_COMPARISON_COLUMNS",
    "SWEEP_COMPARISON_FIGURES",
    "SWEEP_FIGURES",
    "Comparison",
    "Entry",
    "Section",
    "SweepComparison",
    "are_sweeps",
    "check_parquet",
    "compare",
    "compare_sweeps",
    "comparison_json",
    "comparison_text",
    "critical_table",
    "headline",
    "layer_table",
    "overall_line",
    "report_json",
    "report_text",
    "sweep_comparison_json",
    "sweep_comparison_text",
    "write_comparison_csv",
    "write_comparison_figures",
    "write_comparison_json",
    "write_csv",
    "write_figures",
    "write_json",
    "write_parquet",
    "write_sweep_comparison_csv",
    "write_sweep_comparison_figures",
    "write_sweep_comparison_json",
]
