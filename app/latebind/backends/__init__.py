"""Backends: the interface, the registrar, the catalogue, and one folder per backend."""
