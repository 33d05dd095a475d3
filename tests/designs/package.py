"""A package that is installed: modules in a folder, with the metadata that pip writes beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

EntryPoints = Mapping[str, Mapping[str, str]]
"""By group and name, the object: ``{"fat_fpga.faults": {"row": "stuck_rows:Row"}}``."""


def install(
    folder: Path, name: str, modules: Mapping[str, str], entry_points: EntryPoints, version: str = "1.0"
) -> None:
    """Write a package into a folder that is to be on ``sys.path``.

    Args:
        name: of the distribution, ``stuck-rows``.
        modules: their code, by path below the folder.
    """
    for path, code in modules.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(code, encoding="utf-8")
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    groups = [
        "\n".join([f"[{group}]", *(f"{key} = {value}" for key, value in points.items())])
        for group, points in entry_points.items()
    ]
    (metadata / "entry_points.txt").write_text("\n\n".join(groups) + "\n", encoding="utf-8")
