"""A second front end, slang, elaborates every block: what one simulator takes is not yet SystemVerilog.

`fat_fpga.hardware` names the files; parameters are those of ``lint.py``.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyslang.driver import CommandLineOptions, Driver

WARNINGS = ("-Wextra", "-Werror", "-Wno-useless-cast", "-Wno-shift-count-overflow")
"""A cast to a width that parameters decide is useless for some of them, and a shift by all bits gives 0."""


def elaborates(top: str, parameters: Mapping[str, object], sources: Sequence[Path]) -> bool:
    """Whether slang elaborates a module without a warning; it prints what is wrong."""
    driver = Driver()
    driver.addStandardArgs()
    options = [*WARNINGS, "--top", top]
    options += [f'"-G{name}={value}"' for name, value in parameters.items()]  # the quote of 4'b0 is none of a shell
    line = " ".join([shlex.join(["slang", *map(str, sources)]), *options])
    if not (driver.parseCommandLine(line, CommandLineOptions()) and driver.processOptions()):
        return False
    driver.parseAllSources()
    driver.reportCompilation(driver.createCompilation(), True)
    return bool(driver.reportDiagnostics(True))
