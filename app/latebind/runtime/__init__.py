"""The runtime: recording, the executor, the computation cache, device data, metrics and tracing."""
