"""The workloads as experts write them for other libraries, and adapters of namespaces."""
