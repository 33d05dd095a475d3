"""The targets of the fuzz run, one a file."""
