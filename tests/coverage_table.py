"""Lines that tests execute, by room and by source file of the kernels: the last step of ``make coverage``.

    python -m tests.coverage_table python.json native.json

The first file is of ``coverage json``, the second of ``gcovr --json-summary``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

ROOM = "the package itself"


class Lines(NamedTuple):
    """Lines of something, and how many of them are executed."""

    name: str
    lines: int
    executed: int

    @property
    def percent(self) -> float:
        """Executed ones; 100 where there are none."""
        return 100 * self.executed / self.lines if self.lines else 100.0


def python_rooms(report: Path) -> list[Lines]:
    """Statements of the package's rooms, by name."""
    found: dict[str, list[int]] = {}
    for path, entry in json.loads(report.read_text(encoding="utf-8"))["files"].items():
        parts = PurePosixPath(path).parts
        room = found.setdefault(parts[1] if len(parts) > 2 else ROOM, [0, 0])
        room[0] += entry["summary"]["num_statements"]
        room[1] += entry["summary"]["covered_lines"]
    return [Lines(name, *sums) for name, sums in sorted(found.items())]


def native_files(report: Path) -> list[Lines]:
    """Lines of the kernels' source files, by name."""
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    return sorted(Lines(PurePosixPath(f["filename"]).name, f["line_total"], f["line_covered"]) for f in files)


def table(title: str, rows: Iterable[Lines]) -> str:
    """A Markdown table with a row for the sum."""
    rows = list(rows)
    rows.append(Lines("all", sum(row.lines for row in rows), sum(row.executed for row in rows)))
    text = [f"| {title} | lines | executed | % |", "|---|---:|---:|---:|"]
    return "\n".join(text + [f"| {row.name} | {row.lines:,} | {row.executed:,} | {row.percent:.1f} |" for row in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", type=Path, help="of coverage json")
    parser.add_argument("native", type=Path, help="of gcovr --json-summary")
    args = parser.parse_args()
    print(table("Python", python_rooms(args.python)), table("C++", native_files(args.native)), sep="\n\n")


if __name__ == "__main__":
    main()
