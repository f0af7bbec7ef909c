"""Testing tools: doubles of a backend, pytest fixtures, and the conformance kit."""
