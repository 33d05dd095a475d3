"""Plain-text tables."""

from __future__ import annotations

from collections.abc import Sequence


def align(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,), gap: str = "  ") -> str:
    """Lay rows of cells out in columns, numbers to the right, the columns in ``left`` to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append(gap.join(cells).rstrip())
    return "\n".join(lines)


def percent(value: float) -> str:
    """A percentage with two decimals, without its sign."""
    return f"{value:.2f}"
