"""Progress bars, on a terminal only: a log file would keep their remnants, on one line with the next error."""

from __future__ import annotations

import sys
from typing import Any


def progress_bar(shown: bool, **options: Any) -> Any:
    """A tqdm bar on standard error, or None unless ``shown``, where that is no terminal, and on a board, which lacks
    tqdm.

    Args:
        options: as tqdm takes them.
    """
    if not shown or not sys.stderr.isatty():
        return None
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return None
    return tqdm(file=sys.stderr, dynamic_ncols=True, mininterval=0.2, **options)
