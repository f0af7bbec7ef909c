"""Checks of the machine and of the configuration, as `latebind doctor` prints them."""
