"""The profiles of Hypothesis, for all tests."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("same", max_examples=50, deadline=None, derandomize=True, print_blob=True)
settings.register_profile("deep", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile("same")
"""The same examples on every run; ``make test-deep`` takes others, twenty times as many."""
