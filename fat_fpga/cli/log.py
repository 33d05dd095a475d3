"""What a command does, for people who look for a fault: ``-v`` tells it on standard error, ``--log-file`` in a file."""

from __future__ import annotations

import argparse
import logging
import os
import platform
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

from fat_fpga import __version__

LOG = logging.getLogger("fat_fpga")
"""The log of all rooms; their loggers are below it."""


def add_log_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that `logged` reads; they are given before the command."""
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="tell what is done, step by step, on standard error"
    )
    parser.add_argument(
        "--log-file", metavar="FILE", help="write that, and where errors come from, at the end of this file"
    )


@contextmanager
def logged(args: argparse.Namespace, arguments: Sequence[str]) -> Iterator[None]:
    """Keep a log while a command runs; OSError if the file cannot be written."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)] if args.verbose else []
    if args.log_file:
        handlers.append(logging.FileHandler(args.log_file, encoding="utf-8"))
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
        LOG.addHandler(handler)
    before = LOG.level
    if handlers:
        LOG.setLevel(logging.DEBUG)
        LOG.info("fat-fpga %s", shlex.join(arguments))
        where = platform.platform(), platform.python_version(), os.cpu_count()
        LOG.info("version %s on %s, Python %s, %s processors", __version__, *where)
    started = perf_counter()
    try:
        yield
    finally:
        if handlers:
            LOG.info("ended after %.1f s", perf_counter() - started)
        LOG.setLevel(before)
        for handler in handlers:
            LOG.removeHandler(handler)
            handler.close()
