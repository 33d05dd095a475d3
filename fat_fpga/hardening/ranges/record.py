"""What a search has measured, kept in a file: a search that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fat_fpga.errors import CampaignError
from fat_fpga.files import replacing
from fat_fpga.hardening.ranges.resilience import Correct
from fat_fpga.json_file import Entry, read_object

FORMAT = "fat_fpga clip record"
WHAT = "a record of fat-fpga clip"


class Record:
    """Measured counts by what was measured: a layer and its threshold. The file is whole at any moment.

    Args:
        path: of the file; None keeps everything in memory.
        identity: what the counts depend on: network, data, errors. A file of another search is refused.

    Raises:
        CampaignError: the file is no record, or one of another search.
    """

    def __init__(self, path: Path | None, identity: Mapping[str, Any]) -> None:
        self._path, self._identity = path, dict(identity)
        self._found: dict[str, Correct] = {}
        if path is not None and path.exists():
            self._read(path)

    def __len__(self) -> int:
        return len(self._found)

    def known(self, key: str) -> Correct | None:
        """What was measured; None where it was not yet."""
        return self._found.get(key)

    def keep(self, key: str, correct: Correct) -> None:
        """Add a measurement, and write the file."""
        self._found[key] = correct
        if self._path is None:
            return
        counts = {
            key: {"images": one.images, "error_free": one.error_free, "samples": [list(own) for own in one.samples]}
            for key, one in self._found.items()
        }
        content = {"format": FORMAT, "identity": self._identity, "counts": counts}
        with replacing(self._path) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n")

    def _read(self, path: Path) -> None:
        entry = read_object(path, WHAT, CampaignError)
        entry.one_of("format", [FORMAT])
        there, here = entry.get("identity", dict), json.loads(json.dumps(self._identity))
        for key in {**here, **there}:
            if here.get(key) != there.get(key):
                raise CampaignError(
                    f"{path} is the record of another search, with {key} = {_short(there.get(key))} instead of "
                    f"{_short(here.get(key))}: remove it, or name another output file"
                )
        counts = entry.inner("counts")
        self._found = {key: _correct(counts.inner(key)) for key in counts.value}


def _correct(entry: Entry) -> Correct:
    images = entry.get("images", int, 1)
    samples = entry.items("samples", list)
    for number, own in enumerate(samples):
        if not own or not all(type(count) is int and 0 <= count <= images for count in own):
            raise CampaignError(f"{entry.path}: {entry.place}samples[{number}] must be counts of 0 to {images} images")
    error_free = entry.get("error_free", int, 0, images)
    return Correct(images, error_free, tuple(tuple(own) for own in samples))


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 48 else f"{text[:45]}..."
