"""The XLA backend: graphs become StableHLO text, which the PJRT client of JAX compiles and runs."""
