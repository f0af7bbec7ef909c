"""The tiered backend: a new graph runs on one backend at once while another one compiles it in the background."""
