"""Recipe files: the settings of a training in TOML, under the names of the command line's options."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from os import PathLike
from typing import Any

from fat_fpga.errors import TrainingError
from fat_fpga.files import read_file

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_KINDS: dict[type, tuple[str, tuple[type, ...]]] = {
    str: ("text in quotes", (str,)),
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
    bool: ("true or false", (bool,)),
}


def read_recipe_file(path: str | PathLike[str], known: Mapping[str, type]) -> dict[str, Any]:
    """Read a recipe file.

    Args:
        path: of a TOML file without tables, such as ``method = "fat2"``; hyphens in names count as underscores.
        known: the type of each setting: str, int, float or bool.

    Returns:
        The settings that stand in the file, each of its type.

    Raises:
        TrainingError: the file is missing or is no TOML, or holds an unknown name or a value of another type.
    """
    try:
        content = tomllib.loads(read_file(path).decode("utf-8"))
    except RecursionError as error:
        raise TrainingError(f"{path}: not a recipe file (it is nested too deeply)") from error
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read as a recipe file ({error.strerror})") from error
    except ValueError as error:  # of tomllib, of decoding, and of numbers with thousands of digits
        raise TrainingError(f"{path}: not a TOML file ({error})") from error
    settings = {}
    for written, value in content.items():
        name = written.replace("-", "_")
        if name not in known:
            raise TrainingError(f"{path}: unknown setting {written!r}; known settings: {', '.join(known)}")
        kind, accepted = _KINDS[known[name]]
        if not isinstance(value, accepted) or (isinstance(value, bool) and known[name] is not bool):
            raise TrainingError(f"{path}: {written} must be {kind}, got {value!r}")
        try:
            settings[name] = known[name](value)
        except OverflowError as error:
            raise TrainingError(f"{path}: {written} is too large for a number of 64 bits") from error
    return settings
