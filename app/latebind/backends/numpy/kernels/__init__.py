"""What a generated function calls where one NumPy call is not enough, a module per family."""
