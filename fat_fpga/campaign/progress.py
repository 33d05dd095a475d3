"""The progress bar of a campaign."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType

from fat_fpga.progress import progress_bar

PAUSE = 60.0
"""Seconds between two lines in a log file."""
FORMAT = "{desc}{percentage:3.0f} %|{bar}| {n_fmt}/{total_fmt} [{elapsed}, left {remaining}, {rate_fmt}{postfix}]"


class Bar:
    """Counts faulty inferences on standard error, with rate and time left; where that is no terminal, a line a minute
    says how many faults are saved. Silent unless ``shown``.

    Args:
        asked: faults of the whole campaign.
        done: faults finished before now.
        images: images of the data set.
        label: what is counted, in front of the bar.
        tell_saved: whether results are saved as they come, which is then told.
    """

    def __init__(
        self, asked: int, done: int, images: int, shown: bool, label: str = "", tell_saved: bool = True
    ) -> None:
        self._asked, self._images, self._saved, self._tells = asked, images, done, tell_saved
        self._crew = ""
        self._bar = progress_bar(
            shown,
            total=asked * images,
            initial=done * images,
            unit=" inferences",
            unit_scale=True,
            smoothing=0.1,
            desc=label,
            bar_format=FORMAT,
        )
        self._lines = shown and not sys.stderr.isatty()
        self._told = monotonic()
        self._tell()

    def _tell(self) -> None:
        if not self._tells:
            return
        text = f"{self._saved:,} of {self._asked:,} faults saved{self._crew}"
        if self._bar is not None:
            self._bar.set_postfix_str(text, refresh=False)
        elif self._lines and monotonic() - self._told >= PAUSE:
            self._told = monotonic()
            print(f"fat-fpga: {text}", file=sys.stderr, flush=True)

    def at_work(self, inferences: int, crew: str = "") -> None:
        """So many faulty inferences more are done than those of the faults that are saved.

        Args:
            crew: words on who works, behind the number of faults.
        """
        if crew != self._crew:
            self._crew = crew
            self._tell()
        if self._bar is not None:
            self._bar.update(self._saved * self._images + inferences - self._bar.n)

    def saved(self, faults: int) -> None:
        """``faults`` more are in the run file."""
        self._saved += faults
        self._tell()
        self.at_work(0, self._crew)

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
