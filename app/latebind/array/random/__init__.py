"""`latebind.random`: NumPy's `Generator` on lazy arrays, with the same stream on every backend (docs/random.md)."""
