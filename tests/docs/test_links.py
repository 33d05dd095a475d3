"""Links of the pages to files of the repository lead to files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .commands import ROOT
from .test_pages import PAGES

OTHERS = [ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md")]


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^()\s]+)\)", text)
    own = [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:", target)]
    missing = [target for target in own if target and not (page.parent / target).exists()]
    assert not missing
