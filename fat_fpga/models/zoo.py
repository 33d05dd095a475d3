"""The trained networks that come with the package. Needs no torch.

Each is two files in ``fat_fpga/models/data``: the QONNX file compressed with xz, and a model card in JSON that says on
which data, by which recipe and by which commit it was trained, and what it reaches on the whole test set.
"""

from __future__ import annotations

import json
import lzma
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import Any

from fat_fpga.errors import ModelError
from fat_fpga.files import is_readable, replacing

FOLDER = Path(__file__).parent / "data"
SUFFIX = ".onnx.xz"
MODULE_SUFFIX = ".npz"
"""Of the weights of a PyTorch module, which are executed by PyTorch; its card names its factory."""
_FLOATS = ({"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 0, "lp": 2, "pb": 2},)


def bundled() -> tuple[str, ...]:
    """Names of the bundled networks, such as ``"cnv_w1a1"``, in alphabetical order."""
    return _with(SUFFIX)


def modules() -> tuple[str, ...]:
    """Names of the bundled PyTorch modules, such as ``"tigru"``, in alphabetical order."""
    return _with(MODULE_SUFFIX)


def _with(suffix: str) -> tuple[str, ...]:
    names = (entry.name for entry in FOLDER.iterdir())
    return tuple(sorted(name.removesuffix(suffix) for name in names if name.endswith(suffix)))


def bundled_or_file(source: str | PathLike[str], what: str = "file") -> str | None:
    """The bundled network that ``source`` names, with hyphens or underscores; None where it is a file.

    A file goes before a name, a name before a folder.

    Raises:
        ModelError: it is neither; ``what`` kind of file was looked for.
    """
    known, name = bundled(), str(source).replace("-", "_")
    if is_readable(source):
        return None
    if name in known:
        return name
    if Path(source).exists():
        return None
    if name in modules():
        raise ModelError(f"{name} is a PyTorch module, which campaign, sweep and faults take: {card(name)['factory']}")
    near = get_close_matches(name, known, 1)
    raise ModelError(
        f"no {what} '{source}', and no bundled network of that name: there are {', '.join(known) or 'none'}"
        + (f"; did you mean {near[0]}?" if near else "")
    )


def read_onnx(name: str) -> bytes:
    """The QONNX file of the bundled network ``name``.

    Raises:
        ModelError: no network of that name is bundled.
    """
    return lzma.decompress(_entry(name, SUFFIX).read_bytes())


def write_onnx(name: str, path: str | PathLike[str]) -> None:
    """Write the bundled network ``name`` to ``path`` as a QONNX file, whole or not at all.

    Raises:
        ModelError: no network of that name is bundled.
        OSError: the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(read_onnx(name))


def card(name: str) -> dict[str, Any]:
    """The model card of the bundled network, or PyTorch module, ``name``.

    Raises:
        ModelError: none of that name is bundled.
    """
    path = FOLDER / f"{name}.json" if name in modules() else _entry(name, ".json")
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def bundle(name: str, onnx_file: Path, model_card: dict[str, Any], folder: Path | None = None) -> Path:
    """Add a network to the bundle: compress ``onnx_file``, put the card beside it, return the compressed file.

    ``folder`` is the package's own by default.

    Raises:
        OSError: the files cannot be written.
    """
    folder = folder or FOLDER
    packed = folder / f"{name}{SUFFIX}"
    with replacing(packed) as temporary:
        temporary.write_bytes(lzma.compress(onnx_file.read_bytes(), format=lzma.FORMAT_XZ, filters=_FLOATS))
    with replacing(folder / f"{name}.json") as temporary:
        temporary.write_text(json.dumps(model_card, indent=2) + "\n")
    return packed


def _entry(name: str, suffix: str) -> Path:
    if name not in bundled():
        raise ModelError(f"no bundled network {name!r}; there are: {', '.join(bundled()) or 'none'}")
    return FOLDER / f"{name}{suffix}"
