"""What a plan costs: cost models behind one protocol."""
