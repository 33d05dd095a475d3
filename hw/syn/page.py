"""Writes ``docs/luts.md``: each synthesised block beside its model. ``make synthesis`` calls this at its end."""

from __future__ import annotations

import sys
from pathlib import Path

from fat_fpga.files import replacing
from fat_fpga.luts.rows import page, rows

PAGE = Path(__file__).parents[2] / "docs" / "luts.md"


def main() -> int:
    with replacing(PAGE) as temporary:
        temporary.write_text(page(), encoding="utf-8")
    worst = max(rows(), key=lambda row: abs(row.error))
    print(f"{sum(1 for _ in rows())} rows; farthest off: {worst.block}, {worst.size}: {100 * worst.error:+.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
