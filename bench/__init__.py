"""Benchmarks; `python -m bench` runs them from the root of a clone."""
