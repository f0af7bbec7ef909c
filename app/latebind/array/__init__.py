"""The lazy array and the array API namespace, a module per section of the standard."""
