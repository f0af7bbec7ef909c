"""How each library is used: its arrays, how a computation is started and waited for, and how it runs a workload."""
