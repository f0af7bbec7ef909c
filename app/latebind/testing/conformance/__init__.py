"""The conformance kit: every operation and the whole backend interface, compared with the reference backend.

Run it with `pytest --pyargs latebind.testing.conformance --latebind-backend my_package:MyBackend`. docs/conformance.md
says what is checked, and how to declare gaps and deviations.
"""
