"""FINN: from the integer network to a dataflow build, and FINN's own execution as a judge."""
