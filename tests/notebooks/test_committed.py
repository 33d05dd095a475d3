"""The notebooks in the repository hold what they print and draw, and nothing of the machine that ran them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")

from notebooks.execute import FOLDER, METADATA, faults_of, strip  # noqa: E402

NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
SHOWING = {"print", "show", "Image"}


def read(name: str) -> Any:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def shows(source: str) -> bool:
    """Whether a cell prints or draws, outside of the functions that it defines."""
    parts = [part for part in ast.parse(source).body if not isinstance(part, ast.FunctionDef | ast.ClassDef)]
    calls = [node.func for part in parts for node in ast.walk(part) if isinstance(node, ast.Call)]
    return bool(SHOWING & {call.id if isinstance(call, ast.Name) else getattr(call, "attr", "") for call in calls})


@pytest.mark.parametrize("name", NAMES)
def test_every_cell_has_its_outputs(name: str) -> None:
    cells = [cell for cell in read(name).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))  # run once, top to bottom
    for cell in cells:
        assert bool(cell.outputs) == shows(cell.source), cell.source
    assert any("image/png" in output.get("data", {}) for cell in cells for output in cell.outputs)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_machine_is_in_it(name: str) -> None:
    notebook = read(name)
    assert list(faults_of(notebook)) == []
    assert notebook.metadata == METADATA
    assert all(cell.metadata == {} for cell in notebook.cells)


def with_output(**output: Any) -> Any:
    cell = nbformat.v4.new_code_cell("pass", outputs=[nbformat.v4.new_output(**output)])
    return nbformat.v4.new_notebook(cells=[cell])


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ({"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": []}, "raised ValueError"),
        ({"output_type": "stream", "name": "stderr", "text": "a warning\n"}, "standard error: a warning"),
        ({"output_type": "stream", "text": "see /home/ann/a.run\n"}, "a path of this machine, /home/ann/a.run"),
        (
            {"output_type": "stream", "text": "see C:\\Users\\ann\\a.run\n"},
            "path of this machine, C:\\Users\\ann\\a.run",
        ),
        ({"output_type": "execute_result", "data": {"text/plain": "PosixPath('/x/a')"}}, "machine, /x/a"),
        ({"output_type": "display_data", "data": {"image/png": "A" * 100_001}}, "a picture of 100,001 bytes"),
    ],
)
def test_what_does_not_belong_is_found(output: dict[str, Any], said: str) -> None:
    (fault,) = faults_of(with_output(**output))
    assert said in fault


@pytest.mark.parametrize(
    "text", ["image/png", "1/3, 2/3", "conv1/channel[3] = +1", "1,000 images a second / core", "a: b/c"]
)
def test_what_is_no_path(text: str) -> None:
    assert list(faults_of(with_output(output_type="stream", text=text))) == []


def test_stripping(tmp_path: Path) -> None:
    notebook = with_output(output_type="stream", text=f"wrote {tmp_path}/tmpab12cd_9/a.run and {tmp_path}/b.run\n")
    notebook.metadata["language_info"] = {"name": "python", "version": "3.11.2"}
    (cell,) = notebook.cells
    cell.metadata["execution"] = {"iopub.execute_input": "2020-01-01T00:00:00Z"}
    cell.outputs.append(nbformat.v4.new_output("stream", text="and more\n"))
    picture = {"image/png": "AAAA", "text/plain": "<Figure at 0x7f00>"}
    cell.outputs.append(nbformat.v4.new_output("display_data", data=picture, metadata={"x": 1}))
    strip(notebook, tmp_path)
    assert (notebook.metadata, cell.metadata) == (METADATA, {})
    text, drawn = cell.outputs
    assert text.text == "wrote a.run and b.run\nand more\n"
    assert (drawn.data, drawn.metadata) == ({"image/png": "AAAA"}, {})
