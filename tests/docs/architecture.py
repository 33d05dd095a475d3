"""The picture of docs/architecture.md, drawn from the page and the imports: ``python -m tests.docs.architecture``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from fat_fpga.files import replacing
from tests.test_rooms import MODULES, by_name, edges

from .commands import ROOT

PAGE = ROOT / "docs" / "architecture.md"
PICTURE = ROOT / "docs" / "figures" / "architecture.svg"
DOOR = "door"
WAYS = {"network": "#2563a8", "fault": "#b3362b", "plan": "#3a7d34"}
"""The ways on the page, and their colours."""

PLACES = {
    "cli": (2.5, 0), DOOR: (3.6, 0), "finn": (1.6, 1), "fixed_point": (4.9, 4.75), "training": (4.9, 5.5),
    "board": (0.05, 2), "rtl": (0.05, 1.35), "hardening": (2.8, 2), "interactive": (3.75, 1), "safety": (4.3, 3),
    "luts": (1.33, 3), "crosscheck": (2.5, 3), "reports": (3.7, 3), "checksums": (0.7, 4), "campaign": (3.5, 4),
    "engines": (2, 5), "faults": (2, 6), "datasets": (4.2, 6), "network": (2, 7),
    "workers": (3.1, 5), "modules": (4.9, 4), "energy": (4.75, 2.9), "models": (4.9, 8), "qonnx_ops": (0.7, 6),
    "sizes": (5.55, 1.1),
}  # fmt: skip
"""Column and row of each box."""
LABELS = {"cli": "cli: fat-fpga", DOOR: "import fat_fpga"}
ACROSS, DOWN, WIDE, HIGH, LEFT, TOP = 165, 84, 128, 46, 90, 50


def section(title: str) -> str:
    """The text under a heading of the page, up to the next one of its level or above."""
    level, text = title.index(" "), PAGE.read_text(encoding="utf-8")
    rest = text.partition(f"\n{title}\n")[2]
    assert rest, title
    return re.split(rf"^#{{1,{level}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def table(text: str) -> Iterator[list[str]]:
    """Rows of tables, cell by cell, without heads."""
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def rooms() -> dict[str, set[str]]:
    """The rooms of the page with what they import of each other, as the page says."""
    rows = [row for row in table(section("## Rooms")) if len(row) == 3]
    return {row[0].strip("` "): set(re.findall(r"`(\w+)`", row[2])) for row in rows}


def ground_floor() -> list[str]:
    return [row[0].strip("` ") for row in table(section("## Rooms")) if len(row) == 2]


def way(name: str) -> list[tuple[str, str]]:
    """Room and file of each step."""
    return re.findall(r"^\d+\. \*\*(\w+)\*\* \(`([\w/.]+)`\)", section(f"### A {name}"), re.MULTILINE)


def real() -> dict[str, set[str]]:
    """By drawn room the drawn rooms that it imports."""
    drawn = set(rooms())
    return {room: set(targets) & drawn for room, targets in edges().items() if room in drawn}


def necessary(graph: Mapping[str, set[str]]) -> set[tuple[str, str]]:
    """The arrows that no longer way replaces."""

    def reached(room: str) -> set[str]:
        found = set(graph.get(room, ()))
        for target in graph.get(room, ()):
            found |= reached(target)
        return found

    return {
        (room, target)
        for room, targets in graph.items()
        for target in targets
        if not any(target in reached(other) for other in targets - {target})
    }


def arrows() -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Those that are drawn: imports, and names in strings."""
    graph = real() | {DOOR: {room for room in rooms() if room in door_imports()}}
    return necessary(graph), {(room, target) for room, target in by_name() if room in PLACES and target in PLACES}


def door_imports() -> set[str]:
    """The rooms of which the door loads names."""
    import fat_fpga

    return {module.split(".")[0].split(":")[0] for module in fat_fpga._DOOR.values()}


def svg() -> str:
    """The picture."""
    solid, dashed = arrows()
    width = round(LEFT + 5 * ACROSS + WIDE / 2 + 20)
    bottom = TOP + 8 * DOWN + HIGH + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 130}" font-family="sans-serif">',
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#555"/></marker></defs>',
        f'<rect width="{width}" height="{bottom + 130}" fill="#fff"/>',
        *(_arrow(room, target, "") for room, target in sorted(solid)),
        *(_arrow(room, target, ' stroke-dasharray="5 4"') for room, target in sorted(dashed)),
        *map(_box, PLACES),
        *_legend(width),
        *_floor(width, bottom),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _centre(room: str) -> tuple[float, float]:
    column, row = PLACES[room]
    return LEFT + column * ACROSS, TOP + row * DOWN + HIGH / 2


def _arrow(room: str, target: str, dashes: str) -> str:
    (x, y), (to, down) = _centre(room), _centre(target)
    half = HIGH / 2 if down > y else -HIGH / 2
    # leave and arrive nearer to where the other box is, so that arrows of one box do not start in one point
    lean = max(-0.35, min(0.35, (to - x) / (4 * ACROSS))) * WIDE
    start, end = (x + lean, y + half), (to - lean, down - half - (2 if half > 0 else -2))
    return (
        f'<path class="arrow" data-from="{room}" data-to="{target}" d="M{start[0]:.0f} {start[1]:.0f}'
        f'L{end[0]:.0f} {end[1]:.0f}" stroke="#555" fill="none" marker-end="url(#head)"{dashes}/>'
    )


def _box(room: str) -> str:
    x, y = _centre(room)
    steps = [
        (colour, number) for name, colour in WAYS.items() for number, (at, _) in enumerate(way(name), 1) if at == room
    ]
    fill = "#f4f1e8" if room not in (DOOR, "cli") else "#e6edf5"
    label, middle = LABELS.get(room, room), y + (-2 if steps else 5)
    parts = [
        f'<rect class="room" data-room="{room}" x="{x - WIDE / 2:.0f}" y="{y - HIGH / 2:.0f}" width="{WIDE}" '
        f'height="{HIGH}" rx="6" fill="{fill}" stroke="#777"/>',
        f'<text x="{x:.0f}" y="{middle:.0f}" text-anchor="middle" font-size="15">{label}</text>',
    ]
    for place, (colour, number) in enumerate(steps):
        at = x + 17 * (place - (len(steps) - 1) / 2)
        parts.append(f'<circle cx="{at:.0f}" cy="{y + 12:.0f}" r="7.5" fill="{colour}"/>')
        parts.append(
            f'<text x="{at:.0f}" y="{y + 15.5:.0f}" text-anchor="middle" font-size="10" fill="#fff">{number}</text>'
        )
    return "\n".join(parts)


def _legend(width: int) -> Iterator[str]:
    for place, (name, colour) in enumerate(WAYS.items()):
        yield f'<circle cx="24" cy="{24 + 20 * place}" r="7.5" fill="{colour}"/>'
        yield f'<text x="38" y="{28 + 20 * place}" font-size="12">the way of a {name}</text>'


def _floor(width: int, bottom: float) -> Iterator[str]:
    names = ground_floor()
    half = -(-len(names) // 2)
    yield f'<rect x="20" y="{bottom:.0f}" width="{width - 40}" height="86" rx="6" fill="#ececec" stroke="#777"/>'
    yield f'<text x="{width / 2:.0f}" y="{bottom + 22:.0f}" text-anchor="middle" font-size="15">ground floor</text>'
    for line, part in enumerate((names[:half], names[half:])):
        text = "   ".join(part)
        yield (
            f'<text x="{width / 2:.0f}" y="{bottom + 46 + 22 * line:.0f}" text-anchor="middle" font-size="13" '
            f'xml:space="preserve">{text}</text>'
        )
    yield (
        f'<text x="{width / 2:.0f}" y="{bottom + 112:.0f}" text-anchor="middle" font-size="12" fill="#444">'
        "an arrow means: imports. Dashed: by name, when it is asked for. Every room may import the ground floor.</text>"
    )


def modules() -> set[str]:
    """All rooms that there are, the door and the program apart."""
    return {module.split(".")[1] for module in MODULES if "." in module} - {"__main__"}


def main() -> None:
    with replacing(Path(PICTURE)) as temporary:
        temporary.write_text(svg(), encoding="utf-8")


if __name__ == "__main__":
    main()
