"""Training of the Brevitas networks. Needs the training extra (torch, Brevitas)."""

from __future__ import annotations
