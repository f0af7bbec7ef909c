"""Application services that the container wires."""
