"""Micro-benchmarks: each module measures one thing on every contender that can do it."""
