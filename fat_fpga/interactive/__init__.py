"""The interactive report: one HTML file that needs no network and no server.

>>> from fat_fpga.campaign import Run
>>> from fat_fpga.interactive import write_html
>>> write_html(Run.open("cnv_w1a1.run"), "report.html")   # doctest: +SKIP
"""

from fat_fpga.interactive.details import Subject
from fat_fpga.interactive.writer import check_html, write_html

__all__ = ["Subject", "check_html", "write_html"]
