"""Plug-ins: what other packages add to this one, found by the entry points of their metadata.

A package names what it adds in its ``pyproject.toml``; nothing of it is imported before it is asked for:

    [project.entry-points."fat_fpga.faults"]
    row = "my_package.row:RowStuckAt"

One name is one thing. A name that fat_fpga has itself, or that two packages give, is refused where it is asked for, and
so is what cannot be imported or is no such thing. The error names the package and its entry point.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from fat_fpga.errors import FatFpgaError
from fat_fpga.one_line import one_line

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

PREFIX = "fat_fpga."
"""Of our groups of entry points."""
T = TypeVar("T")


def installed() -> list[str]:
    """The packages that add something here, with their versions; none of them is imported."""
    points = (point for group in _entry_points(tuple(sys.path)).values() for own in group.values() for point in own)
    return sorted({_name(point) for point in points})


_USED: dict[str, None] = {}


def used() -> list[str]:
    """The packages of which this process has loaded something, with their versions: ``stuck-rows 1.0``."""
    return sorted(_USED)


class PlugInError(Exception):
    """What was loaded is not what its group is for; the message says what it lacks."""


@dataclass(frozen=True)
class PlugIns(Generic[T]):
    """What other packages add to one room.

    Attributes:
        group: of the entry points: ``fat_fpga.faults``.
        what: one of them, for messages: ``fault kind``.
        error: what is raised where one cannot be had.
        ours: the names that fat_fpga has itself.
        made: from a name and the object of its entry point to what the room uses; raises `PlugInError`.
    """

    group: str
    what: str
    error: type[FatFpgaError]
    ours: Callable[[], Collection[str]]
    made: Callable[[str, Any], T]

    def names(self) -> list[str]:
        """The names that other packages add, in alphabetical order. Nothing is imported."""
        ours = self.ours()
        return sorted(name for name in self._found() if name not in ours)

    def check(self, name: str) -> None:
        """The room's error if a name means two things."""
        points = self._found().get(name, ())
        if not points:
            return
        packages = " and ".join(map(_package, points))
        if name in self.ours():
            raise self.error(
                f"{self.what} '{name}' is a part of fat_fpga, and {packages} gives it, too: uninstall that package"
            )
        if len(points) > 1:
            raise self.error(f"{self.what} '{name}' comes from {packages}: uninstall one of them")

    def load(self, name: str) -> T | None:
        """What a package adds under a name, imported where it was not yet; None where there is no such name.

        Raises:
            FatFpgaError: of the room: the name means two things, the import fails, or what it gives is no such thing.
        """
        self.check(name)
        points = self._found().get(name)
        return _loaded(self, points[0]) if points else None

    def _found(self) -> dict[str, tuple[EntryPoint, ...]]:
        return _entry_points(tuple(sys.path)).get(self.group, {})


@lru_cache(maxsize=8)
def _entry_points(path: tuple[str, ...]) -> dict[str, dict[str, tuple[EntryPoint, ...]]]:
    """The entry points of all our groups, by group and name, of the packages that are found along ``sys.path``."""
    from importlib.metadata import entry_points

    every = entry_points()
    found: dict[str, dict[str, tuple[EntryPoint, ...]]] = {}
    for group in filter(lambda group: group.startswith(PREFIX), every.groups):
        own = found.setdefault(group, {})
        for point in every.select(group=group):
            own[point.name] = (*own.get(point.name, ()), point)
    return found


@lru_cache(maxsize=256)
def _loaded(plugins: PlugIns[T], point: EntryPoint) -> T:
    try:
        found = plugins.made(point.name, point.load())
        _USED.setdefault(_name(point))
        return found
    except PlugInError as error:
        reason = str(error)
    except (Exception, SystemExit) as error:  # of code that is not ours
        reason = f"it cannot be loaded: {type(error).__name__}: {error}"
    raise plugins.error(one_line(f"{plugins.what} '{point.name}' of {_package(point)}: {reason}"))


def _package(point: EntryPoint) -> str:
    """``package stuck-rows 1.0 (entry point row = stuck_rows:Row in fat_fpga.faults)``."""
    return f"package {_name(point)} (entry point {point.name} = {point.value} in {point.group})"


def _name(point: EntryPoint) -> str:
    """``stuck-rows 1.0``."""
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "without a name"


def need(found: object, attributes: Iterable[tuple[str, type]], methods: Iterable[str]) -> None:
    """PlugInError unless an object has the attributes, of these types, and the methods."""
    for attribute, kind in attributes:
        value = getattr(found, attribute, None)
        if not isinstance(value, kind):
            raise PlugInError(f"its '{attribute}' must be a {kind.__name__}, got {value!r:.60}")
    for method in methods:
        if not callable(getattr(found, method, None)):
            raise PlugInError(f"it has no method '{method}'")
