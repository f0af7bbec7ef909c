"""The NumPy backend: graphs become generated Python functions over NumPy. The reference for all other backends."""

#: How often a new graph runs operation by operation before it is compiled. Measured with a chain of small additions:
#: compiling costs 57 us an operation, interpreting 9, running what was compiled 0.4, so compiling pays after about 7.
INTERPRETATIONS = 6
