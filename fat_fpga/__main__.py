"""``python -m fat_fpga`` is the command ``fat-fpga``."""

import sys

from fat_fpga.cli import main

sys.exit(main())
