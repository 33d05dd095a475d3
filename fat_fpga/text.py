"""Tables and names, as plain text and for notebooks."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence


def align(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,), gap: str = "  ") -> str:
    """Lay rows of cells out in columns, numbers to the right, the columns in ``left`` to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append(gap.join(cells).rstrip())
    return "\n".join(lines)


def html_table(rows: Sequence[Sequence[str]], caption: str) -> str:
    """Rows of cells as an HTML table, the first row as its head; what is HTML in a cell is shown as it is written."""
    head, *body = [[html.escape(shown(cell, 200)) for cell in row] for row in rows]
    lines = [f"<table><caption>{html.escape(shown(caption, 300))}</caption>"]
    for row, kind in ((head, "th"), *((row, "td") for row in body)):
        lines.append(f"<tr>{''.join(f'<{kind}>{cell}</{kind}>' for cell in row)}</tr>")
    return "\n".join([*lines, "</table>"])


LONGEST_NAME = 40
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def shown(name: str, length: int = LONGEST_NAME) -> str:
    """A name of the user's (of a model, data or a run) as tables and figures show it.

    Control characters and bytes that are no UTF-8 become replacement characters; of a name that is too long the middle
    is left out.
    """
    name = _UNSHOWN.sub("\ufffd", name)
    half = (length - 1) // 2
    return name if len(name) <= length else f"{name[:half]}\u2026{name[-half:]}"


def percent(value: float) -> str:
    """A percentage with two decimals, without its sign."""
    return f"{value:.2f}"
