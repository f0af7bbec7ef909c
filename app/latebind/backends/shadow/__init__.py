"""The shadow backend: two backends side by side, every result compared, and a difference narrowed down."""
