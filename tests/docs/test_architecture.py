"""docs/architecture.md is true: its rooms, its arrows, its ways, its picture."""

from __future__ import annotations

import re

from fat_fpga.plugins import PlugIns
from tests.test_rooms import FORBIDDEN, PACKAGE, edges

from . import architecture
from .commands import ROOT


def test_every_room_is_on_the_page_once() -> None:
    named = [*architecture.rooms(), *architecture.ground_floor()]
    assert sorted(named) == sorted(architecture.modules())


def test_the_arrows_of_the_page_are_the_imports() -> None:
    told, real = architecture.rooms(), architecture.real()
    assert {room: sorted(targets) for room, targets in told.items()} == {
        room: sorted(real.get(room, ())) for room in told
    }


def test_rooms_are_below_those_that_import_them() -> None:
    """On the page in the table, and in the picture."""
    order = list(architecture.rooms())
    for room, targets in architecture.rooms().items():
        for target in targets:
            assert order.index(target) < order.index(room)
            assert architecture.PLACES[target][1] > architecture.PLACES[room][1], (room, target)
    for room, unknown in FORBIDDEN.items():
        assert not architecture.rooms()[room] & unknown


def test_the_ground_floor_knows_nothing_of_the_rooms() -> None:
    floor = set(architecture.ground_floor())
    for module in floor:
        assert set(edges().get(module, ())) <= floor, module


def test_ways_are_through_rooms_and_files_that_there_are() -> None:
    for name in architecture.WAYS:
        steps = architecture.way(name)
        numbers = re.findall(r"^(\d+)\. ", architecture.section(f"### A {name}"), re.MULTILINE)
        assert numbers == [str(number) for number in range(1, len(steps) + 1)]
        assert len(steps) >= 5
        for room, file in steps:
            assert file.split("/")[0] == room
            assert (PACKAGE / file).is_file(), file


def test_files_on_the_page_are_there() -> None:
    for path in re.findall(r"`((?:\w+/)*\w+\.py)`", architecture.PAGE.read_text()):
        assert (PACKAGE / path).is_file() or (ROOT / path).is_file(), path


def test_the_picture_is_drawn_from_the_imports() -> None:
    """After a change: ``python -m tests.docs.architecture``."""
    picture = architecture.PICTURE.read_text()
    assert picture == architecture.svg()
    drawn = set(re.findall(r'data-from="(\w+)" data-to="(\w+)"', picture))
    solid, dashed = architecture.arrows()
    assert drawn == solid | dashed
    assert ("engines", "board") in dashed
    assert set(re.findall(r'data-room="(\w+)"', picture)) == {*architecture.rooms(), architecture.DOOR}


def test_drawn_arrows_stand_for_all() -> None:
    """What a room reaches along the drawn arrows is what it reaches by its imports."""
    solid, _ = architecture.arrows()

    def reached(graph: dict[str, set[str]], room: str) -> set[str]:
        found = set(graph.get(room, ()))
        for target in set(found):
            found |= reached(graph, target)
        return found

    drawn: dict[str, set[str]] = {}
    for room, target in solid:
        drawn.setdefault(room, set()).add(target)
    for room in architecture.rooms():
        assert reached(drawn, room) == reached(architecture.real(), room), room


def test_every_group_of_plug_ins_is_on_the_page_about_them() -> None:
    page = (ROOT / "docs" / "extending.md").read_text()
    groups = set()
    for path in PACKAGE.rglob("*.py"):
        groups |= set(re.findall(r'PlugIns\(\s*"(fat_fpga\.\w+)"', path.read_text()))
    assert PlugIns.__module__ == "fat_fpga.plugins"
    assert len(groups) == 4
    assert groups == set(re.findall(r"^\| `(fat_fpga\.\w+)` \|", page, re.MULTILINE))
