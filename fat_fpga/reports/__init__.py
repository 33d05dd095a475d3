"""Reports on campaigns: text, CSV, JSON and figures.

>>> from fat_fpga.campaign import Run
>>> from fat_fpga.reports import report_text, write_csv, write_figures, write_json
>>> run = Run.open("cnv_w1a1.run")                # doctest: +SKIP
>>> print(report_text(run))                       # doctest: +SKIP
>>> write_figures(run, "report")                  # doctest: +SKIP
"""

from fat_fpga.reports.csv_file import COLUMNS, write_csv
from fat_fpga.reports.figures import FIGURES, FORMATS, write_figures
from fat_fpga.reports.json_file import report_json, write_json
from fat_fpga.reports.table import critical_table, headline, layer_table, overall_line, report_text

__all__ = [
    "COLUMNS",
    "FIGURES",
    "FORMATS",
    "critical_table",
    "headline",
    "layer_table",
    "overall_line",
    "report_json",
    "report_text",
    "write_csv",
    "write_figures",
    "write_json",
]
