"""Makes a site of the pages: the README is its first page, the reference of the command line is made, and links to what
is no page become plain text."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]


def on_files(files: Any, *, config: Any) -> Any:
    """Add the README as the first page, and the reference of the command line."""
    sys.path.insert(0, str(Path(__file__).parent))
    from cli_reference import reference

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "index.md", content=text.replace("](docs/", "](")))
    files.append(File.generated(config, "cli.md", content=reference()))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """Links to the README lead to the first page; those to what is no page of the site stay as text."""
    known = {file.src_uri for file in files}

    def link(found: re.Match[str]) -> str:
        text, target = found.groups()
        if re.match(r"[a-z]+:|#", target):
            return found[0]
        if target.startswith("../README.md"):
            return f"[{text}]({target.replace('../README.md', 'index.md')})"
        return found[0] if target.partition("#")[0] in known else text

    return re.sub(r"(?<!!)\[([^\[\]]*)\]\(([^()\s]+)\)", link, markdown)
