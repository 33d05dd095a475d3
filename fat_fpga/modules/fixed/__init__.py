"""A float module in fixed point by two roads: as an integer program, and as the module itself in float64.

Values of fixed point and sums of their products are exact in float64, so both roads give the same numbers, under every
fault that both have: bits of weights, and bits of activations.
"""
