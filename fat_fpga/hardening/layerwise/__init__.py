"""Measures against faults, chosen layer by layer: triplication, codes over weight memories, clipped activations."""
