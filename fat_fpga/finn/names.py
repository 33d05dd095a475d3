"""The steps of a build by name, in order."""

from __future__ import annotations

VENDOR = {
    "ip": ("step_hw_ipgen", "Vitis HLS"),
    "fifos": ("step_set_fifo_depths", "Vivado"),
    "stitch": ("step_create_stitched_ip", "Vivado"),
    "synthesis": ("step_prepare_synthesis", "Vivado"),
    "bitfile": ("step_synthesize_bitfile", "Vivado"),
    "driver": ("step_make_driver", "Vivado"),
    "package": ("step_deployment_package", "Vivado"),
}
"""FINN's own steps behind ours, and the tool that each needs: they have not been run where there is none."""

LAST = "board"
"""Ours, behind FINN's: the description that the board runner reads, beside the bitstream."""

OWN = ("tidy", "streamline", "hardening", "lower", "to_hardware", "partition", "specialise", "injectors", "folding",
       "minimise", "checksums", "estimates", "code")  # fmt: skip
NAMES = (*OWN, *VENDOR, LAST)
"""Every step, in order."""
