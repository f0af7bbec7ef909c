"""Sample generators: for each operation, the operands and attributes that the kit tries. A module per family."""
