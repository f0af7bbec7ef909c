"""The intermediate representation: types, the op table, nodes, the builder, verification and printing."""
