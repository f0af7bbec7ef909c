"""Where the time and the memory went: what observers of an executor add up, and the trace that they write."""
