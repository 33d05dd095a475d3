"""Operators, one file each; `fat_fpga.network.layers` is the door to them."""
