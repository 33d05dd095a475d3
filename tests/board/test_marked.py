"""``make test-boards`` runs the tests with the mark ``boards`` alone: those that take a board have it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
MARK = "pytest.mark.boards"


def unmarked(text: str) -> Iterator[str]:
    """Functions and classes of a file that call ``board_folder``, where neither they nor the file have the mark."""
    tree = ast.parse(text)
    lines = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Assign)]
    if any(line.startswith("pytestmark = ") and MARK in line for line in lines):
        return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and "board_folder(" in ast.unparse(node):
            marked = any(MARK in ast.unparse(decorator) for decorator in node.decorator_list)
            yield from [] if marked else [node.name]


def test_whatever_takes_a_board_is_marked() -> None:
    seen = 0
    for path in TESTS.rglob("test_*.py"):
        text = path.read_text()
        if path != Path(__file__) and "board_folder(" in text:
            assert list(unmarked(text)) == [], path.name
            seen += 1
    assert seen >= 5


def test_a_missing_mark_is_found() -> None:
    assert list(unmarked("def test_it():\n    board_folder('small')\n")) == ["test_it"]
    assert list(unmarked("@pytest.mark.boards\ndef test_it():\n    board_folder('small')\n")) == []
    assert list(unmarked("pytestmark = pytest.mark.boards\ndef test_it():\n    board_folder('small')\n")) == []
