"""Line and toggle coverage of the RTL over all benches, from the coverage files that Verilator writes.

``python hw/tb/coverage_report.py`` prints a table and fails where a module has 95 % of its lines or less covered.
A line counts once, whatever the parameters; a toggle is one bit going one way.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

BUILD = Path(__file__).parents[2] / "build" / "rtl"
LEAST = 95.0
POINT = re.compile(r"C '(?P<keys>.*)' (?P<count>\d+)$")


def lines_of(text: str) -> list[int]:
    """``31,40-42`` as numbers."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def read(paths: list[Path]) -> tuple[dict[str, dict[int, int]], dict[str, dict[str, int]]]:
    """Counts of each line, and of each toggle, by module."""
    lines: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    toggles: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for path in paths:
        for row in path.read_text().splitlines():
            point = POINT.match(row)
            if not point:
                continue
            keys = dict(part.split("\x02", 1) for part in point["keys"].split("\x01") if "\x02" in part)
            module, count = Path(keys["f"]).stem, int(point["count"])
            if keys["t"] == "toggle":
                toggles[module][f"{keys['l']} {keys['o']}"] += count
            else:
                for line in lines_of(keys.get("S", keys["l"])):
                    lines[module][line] += count
    return lines, toggles


def main() -> int:
    paths = sorted(BUILD.glob("*/coverage.dat"))
    lines, toggles = read(paths)
    print(f"coverage over {len(paths)} benches\n{'module':<22}{'lines':>16}{'toggles':>20}")
    low = []
    for module in sorted(lines):
        hit, total = sum(map(bool, lines[module].values())), len(lines[module])
        flips, all_flips = sum(map(bool, toggles[module].values())), len(toggles[module])
        share = 100 * hit / total
        print(f"{module:<22}{hit:>5}/{total:<4} {share:>4.0f} %", end="")
        print(f"{flips:>7}/{all_flips:<5} {100 * flips / all_flips:>4.0f} %" if all_flips else f"{'not counted':>20}")
        missing = [str(line) for line, count in sorted(lines[module].items()) if not count]
        if missing:
            print(f"    lines never reached: {', '.join(missing)}")
        if share <= LEAST:
            low.append(module)
    if not paths or low:
        few = ", ".join(low) or "none was run"
        print(f"expected more than {LEAST:g} % of the lines of each module, too few in: {few}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
