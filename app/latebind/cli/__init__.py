"""The command `latebind`: a module per group of commands."""
