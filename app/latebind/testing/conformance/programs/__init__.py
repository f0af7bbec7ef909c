"""Random programs over latebind's arrays, which have to leave the same values on any backend."""
