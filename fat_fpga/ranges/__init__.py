"""Restricted ranges: activations and weights of a PyTorch module that cannot leave the range which they have without
faults. How the bounds are found is in `fat_fpga.hardening.ranges`."""
