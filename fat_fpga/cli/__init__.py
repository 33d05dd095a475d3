"""The command line. ``main`` is what the command ``fat-fpga`` runs."""

from fat_fpga.cli.interrupts import Starting

with Starting():
    from fat_fpga.cli.main import main

__all__ = ["main"]
