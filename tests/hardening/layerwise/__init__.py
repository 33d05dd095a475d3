"""Tests of measures chosen layer by layer."""
