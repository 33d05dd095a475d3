"""What scripts, notebooks and pages import from the package is there: nothing else looks at them before they run."""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = [path for folder in ("hw", "benchmarks", "notebooks", "tests") for path in (ROOT / folder).rglob("*.py")]


def sources() -> Iterator[tuple[str, str]]:
    """Name and Python code of each script, cell and example."""
    for path in SCRIPTS:
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            lines = "".join(cell["source"]).splitlines() if cell["cell_type"] == "code" else []
            yield path.name, "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))
    for path in (*(ROOT / "docs").glob("*.md"), ROOT / "README.md"):
        for block in re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            yield path.name, dedent(block)


def missing(name: str, code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.ImportFrom) or (node.module or "").split(".")[0] != "fat_fpga":
            continue
        assert node.module is not None
        try:
            module = importlib.import_module(node.module)
        except ImportError as error:  # of a package that this environment lacks, as FINN
            if (error.name or "").startswith("fat_fpga"):
                yield f"{name}:{node.lineno}: {node.module}"
            continue
        for alias in node.names:
            if hasattr(module, alias.name):
                continue
            try:
                importlib.import_module(f"{node.module}.{alias.name}")
            except ImportError as error:
                if (error.name or "").startswith("fat_fpga"):
                    yield f"{name}:{node.lineno}: {node.module} has no {alias.name}"


@pytest.mark.filterwarnings("ignore")
def test_all_that_is_imported_from_the_package_is_there() -> None:
    assert [entry for name, code in sources() for entry in missing(name, code)] == []
