"""Ratios of latebind to its peers, measured in one run: `make bench`, or `python -m tests.benchmarks`.

One module per group of figures; `docs/performance.md` says how to read them. Wall times are printed, never asserted.
"""
