"""Files from elsewhere, damaged on purpose, given to the command line: `python -m tests.fuzz`, or ``make fuzz``."""
