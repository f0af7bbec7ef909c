"""The NumPy backend: graphs become generated Python functions over NumPy. The reference for all other backends."""
