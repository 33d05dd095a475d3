"""What a search has measured: a network's size, its errors without deviations and at rates. A folder of files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fat_fpga.errors import TrainingError
from fat_fpga.files import replacing
from fat_fpga.json_file import read_object
from fat_fpga.sizes.candidate import Candidate

FILE = "measured.json"
QUESTION_FILE = "search.json"


@dataclass(frozen=True)
class Measured:
    """A network that was trained and measured.

    Attributes:
        candidate: which one.
        error_free: classification error without deviations, in percent.
        errors: by deviation (``uniform``, ``erase``) the mean error in percent by rate.
    """

    candidate: Candidate
    error_free: float
    errors: Mapping[str, Mapping[float, float]]

    @property
    def parameters(self) -> int:
        return self.candidate.parameters

    def error(self, deviation: str, rate: float) -> float:
        """Error in percent at a rate; TrainingError where that was not measured."""
        if rate == 0:
            return self.error_free
        try:
            return self.errors[deviation][rate]
        except KeyError as error:
            known = ", ".join(f"{rate:g}" for rate in self.errors.get(deviation, {}))
            raise TrainingError(
                f"{self.candidate.name} was not measured under {deviation} at rate {rate:g}, but at {known or 'none'}"
            ) from error

    def write(self, folder: Path) -> None:
        """Into the network's folder; OSError where that cannot be written."""
        content = {
            "network": self.candidate.name,
            "parameters": self.parameters,
            "error_free": self.error_free,
            "errors": [
                {"deviation": name, "rate": rate, "error": error}
                for name, found in self.errors.items()
                for rate, error in found.items()
            ],
        }
        with replacing(folder / FILE) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n")


def read_measured(path: Path) -> Measured:
    """What `Measured.write` wrote; TrainingError for any other file."""
    content = read_object(path, "a result of fat-fpga sizes search", TrainingError)
    errors: dict[str, dict[float, float]] = {}
    for entry in content.inners("errors"):
        errors.setdefault(entry.get("deviation", str), {})[entry.number("rate")] = entry.number("error")
    return Measured(Candidate(content.get("network", str)), content.number("error_free"), errors)


def read_folder(folder: Path) -> list[Measured]:
    """All networks that a search finished, in the order of their names.

    Raises:
        TrainingError: there is none, or a file is damaged.
    """
    found = [read_measured(path) for path in sorted(Path(folder).glob(f"*/{FILE}"))]
    if not found:
        raise TrainingError(f"{folder} has no finished network of fat-fpga sizes search")
    return found


def read_folders(folders: Sequence[Path]) -> list[Measured]:
    """All networks of several searches of one family, as of other seeds; one that two have trained is there twice.

    Raises:
        TrainingError: as `read_folder`; the searches are of different families.
    """
    found = [one for folder in folders for one in read_folder(folder)]
    for one in found:
        if one.candidate.kind != found[0].candidate.kind:
            raise TrainingError(
                f"{', '.join(map(str, folders))}: {one.candidate.name} is of another family than "
                f"{found[0].candidate.name}; show searches of one family together"
            )
    return found
