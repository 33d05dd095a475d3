"""fat_fpga: resilience toolkit for quantised neural networks on FPGAs."""

__version__ = "0.1.0"
