"""Ctrl-C at any moment of the program: one line, exit code 130, no traceback."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType, TracebackType
from typing import Any

CODE = 130


def say_stopped() -> int:
    """The line, on standard error; returns the exit code."""
    print("fat-fpga: stopped", file=sys.stderr)
    return CODE


class Starting:
    """Around the first imports, before `Interrupts` can be there."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is KeyboardInterrupt:
            raise SystemExit(say_stopped()) from None


class Interrupts:
    """Ends its block on Ctrl-C, even where a library turns the KeyboardInterrupt into another error, or loses it.

    Args:
        whole: the process is the program and ends with the block: what comes after it is not interrupted.

    Attributes:
        seen: whether Ctrl-C was pressed.
    """

    def __init__(self, whole: bool) -> None:
        self.seen = False
        self._whole = whole and signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def __enter__(self) -> Interrupts:
        if self._whole:
            signal.signal(signal.SIGINT, self._press)
            self._unraisable, sys.unraisablehook = sys.unraisablehook, self._lost
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self._whole:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            sys.unraisablehook = self._unraisable
        if kind is KeyboardInterrupt or (self.seen and kind is not None and issubclass(kind, Exception)):
            say_stopped()
            return True
        return False

    def _press(self, number: int, frame: FrameType | None) -> None:
        self.seen = True
        raise KeyboardInterrupt

    def _lost(self, unraisable: Any) -> None:
        """A KeyboardInterrupt in a place that cannot pass it on, and would go on working."""
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            say_stopped()
            os._exit(CODE)
        self._unraisable(unraisable)
