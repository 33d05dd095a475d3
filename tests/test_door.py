"""What can be imported from ``fat_fpga`` itself: all of it there, typed, and loaded when it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import fat_fpga

SOURCE = Path(fat_fpga.__file__)


def of_type_checkers() -> dict[str, str]:
    """What a type checker sees, as the table has it."""
    tree = ast.parse(SOURCE.read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    found = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        assert node.module is not None
        for each in node.names:
            module = node.module.removeprefix("fat_fpga.")
            found[each.asname or each.name] = f"{module}:{each.name}" if each.asname else module
    return found


def test_one_table_says_the_same_to_programs_and_type_checkers() -> None:
    assert of_type_checkers() == fat_fpga._DOOR
    assert sorted(fat_fpga.__all__) == sorted(fat_fpga._DOOR)
    assert set(fat_fpga.__all__) <= set(dir(fat_fpga))
    assert (SOURCE.parent / "py.typed").exists()


@pytest.mark.parametrize("name", fat_fpga.__all__)
def test_each_name_is_what_its_module_has(name: str) -> None:
    module, _, inner = fat_fpga._DOOR[name].partition(":")
    found = getattr(fat_fpga, name)
    assert found is getattr(import_module(f"fat_fpga.{module}"), inner or name)
    assert found.__doc__
    room = import_module(f"fat_fpga.{module.split('.')[0]}")
    assert getattr(room, inner or name) is found


def test_no_name_is_that_of_a_package() -> None:
    inside = {path.stem for path in SOURCE.parent.iterdir()}
    assert not inside & set(fat_fpga.__all__)


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(AttributeError, match="module 'fat_fpga' has no attribute 'campain'"):
        fat_fpga.campain  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'campain'"):
        exec("from fat_fpga import campain")


def test_importing_it_loads_nothing() -> None:
    program = (
        "import sys; import fat_fpga; print(sorted(m for m in sys.modules if m.startswith(('fat_fpga', 'numpy'))))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "['fat_fpga']\n"
