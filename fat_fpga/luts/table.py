"""The table of synthesised voters, saboteurs and checksum hooks."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from typing import Any

TABLE = "measured.json"


@lru_cache(maxsize=1)
def measured() -> dict[str, Any]:
    """Its content; see ``hw/syn/synthesise.py``, which writes it."""
    content: dict[str, Any] = json.loads((resources.files("fat_fpga.luts") / TABLE).read_text(encoding="utf-8"))
    return content
