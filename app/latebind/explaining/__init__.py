"""Why graphs were compiled, and when the program waited for values."""
