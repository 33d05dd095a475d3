"""Packages that only some data sets need."""

from __future__ import annotations

import importlib
from typing import Any

from fat_fpga.errors import DataError
from fat_fpga.extras import advice


def extra(module: str, package: str, what: str, name: str = "data") -> Any:
    """Import ``module`` of ``package``, which the extra called ``name`` of fat_fpga brings.

    Raises:
        DataError: the package is not installed; the message names ``what`` needs it, and the extra.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DataError(f"{what} needs the package {package}: {advice(name)}") from error
