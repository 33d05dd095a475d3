"""LUTs of our hardware, from synthesis: ``measured.json``, made by ``make synthesis``, and models fitted to it."""

from fat_fpga.luts.checksum import checksum_luts
from fat_fpga.luts.saboteur import saboteur_luts
from fat_fpga.luts.voter import voter_luts

__all__ = ["checksum_luts", "saboteur_luts", "voter_luts"]
