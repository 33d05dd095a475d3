"""What FINN (finn-plus) wants of a machine before it can be imported, and does not get where there is no Vivado.

- ``XILINX_VIVADO`` has to be set before the builder is imported. Without Vivado it is set to a folder that does not
  exist; `vivado` still tells the difference.
- ``finn.xsi`` compiles a simulator bridge against Vivado as soon as one of its names is asked for. Without Vivado those
  names are given something that says so when it is called.
- Settings and generated code would go to ``~/.finn``; they go to a temporary folder, or to that of a build.

Everything in fat_fpga that touches FINN calls `prepare` first.
"""

from __future__ import annotations

import atexit
import importlib.util
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from fat_fpga.errors import FatFpgaError, FinnError

NO_VIVADO = "/no/Vivado/2022.2"
"""What ``XILINX_VIVADO`` is set to where there is none; FINN reads a version from it."""

XSI = (
    "SimEngine", "locate_glbl", "compile_sim_obj", "get_simkernel_so", "load_sim_obj", "reset_rtlsim", "close_rtlsim",
    "rtlsim_multi_io",
)  # fmt: skip
HOW = "docker/install-finn.sh makes an environment with it"


def available() -> bool:
    """Whether finn-plus is installed beside fat_fpga."""
    return importlib.util.find_spec("finn") is not None


def vivado() -> Path | None:
    """The folder of a Vivado installation, None where there is none."""
    root = os.environ.get("XILINX_VIVADO", "")
    if root and (Path(root) / "bin" / "vivado").exists():
        return Path(root)
    found = shutil.which("vivado")
    return Path(found).resolve().parents[1] if found else None


def hls() -> Path | None:
    """The Vitis HLS compiler, None where there is none."""
    found = shutil.which("vitis_hls") or shutil.which("vitis-run")
    return Path(found) if found else None


@cache
def prepare() -> None:
    """Make FINN importable; does its work once.

    Raises:
        FinnError: finn-plus is not installed.
    """
    if not available():
        raise FinnError(f"this needs FINN (finn-plus), which is not installed here: {HOW}")
    root = vivado()
    os.environ["XILINX_VIVADO"] = NO_VIVADO if root is None else str(root)
    scratch = Path(tempfile.mkdtemp(prefix="fat_fpga_finn_"))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    os.environ.setdefault("FINN_BUILD_DIR", str(scratch))
    os.environ.setdefault("FINN_SETTINGS", str(scratch / "settings.yaml"))
    os.environ.setdefault("SANITIZE_QUANT_TENSORS", "0")
    warnings.filterwarnings("ignore", category=UserWarning, module=r"(qonnx|finn)\..*")
    import finn.xsi

    if root is None:
        for name in XSI:
            setattr(finn.xsi, name, _without_vivado)
    from finn.util.settings import initialize_dummy_settings

    initialize_dummy_settings()
    logging.getLogger("finn_logger").setLevel(logging.ERROR)


@contextmanager
def finn_errors(doing: str) -> Iterator[None]:
    """Tell what FINN raises inside of the block as FinnError: what it was doing, and its own first line."""
    try:
        yield
    except FatFpgaError:
        raise
    except Exception as error:
        text = " ".join(str(error).split()) or "no reason given"
        raise FinnError(f"{doing}: FINN stopped with {type(error).__name__}: {text[:300]}") from error


@contextmanager
def generating_in(folder: Path) -> Iterator[None]:
    """Let FINN put generated code into ``folder``, made if it is new, instead of a temporary one.

    A build's later steps, perhaps days later, read what the earlier ones generated.
    """
    prepare()
    from finn.util.settings import get_settings

    folder.mkdir(parents=True, exist_ok=True)
    settings = get_settings()
    before = settings.finn_build_dir
    settings.finn_build_dir = folder.resolve()
    try:
        yield
    finally:
        settings.finn_build_dir = before


def _without_vivado(*arguments: Any, **options: Any) -> NoReturn:
    raise FinnError("this step simulates in Vivado, and there is no Vivado here: set XILINX_VIVADO to its folder")
