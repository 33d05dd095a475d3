"""The progress bar of a campaign."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

FORMAT = "{desc}{percentage:3.0f} %|{bar}| {n_fmt}/{total_fmt} [{elapsed}, left {remaining}, {rate_fmt}{postfix}]"


class Bar:
    """Counts faulty inferences on standard error, with rate and time left; silent unless ``shown``, and on a board that
    lacks tqdm.

    Args:
        asked: faults of the whole campaign.
        done: faults finished before now.
        images: images of the data set.
        label: what is counted, in front of the bar.
        tell_saved: whether results are saved as they come, which the bar then tells.
    """

    def __init__(
        self, asked: int, done: int, images: int, shown: bool, label: str = "", tell_saved: bool = True
    ) -> None:
        self._asked, self._images, self._saved, self._tells = asked, images, done, tell_saved
        self._bar: Any = None
        if not shown:
            return
        try:
            from tqdm import tqdm
        except ModuleNotFoundError:
            return
        self._bar = tqdm(
            total=asked * images,
            initial=done * images,
            file=sys.stderr,
            desc=label,
            unit=" inferences",
            unit_scale=True,
            smoothing=0.1,
            mininterval=0.2 if sys.stderr.isatty() else 10,
            dynamic_ncols=True,
            bar_format=FORMAT,
        )
        self._tell()

    def _tell(self) -> None:
        if self._bar is not None and self._tells:
            self._bar.set_postfix_str(f"{self._saved:,} of {self._asked:,} faults saved", refresh=False)

    def chunk(self, faults: int, images: int) -> None:
        """``faults`` more are done on the first ``images`` images."""
        if self._bar is not None:
            self._bar.update(self._saved * self._images + faults * images - self._bar.n)

    def saved(self, faults: int) -> None:
        """``faults`` more are in the run file."""
        self._saved += faults
        self._tell()
        self.chunk(0, 0)

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
