"""`python -m latebind` is the command `latebind`."""

from latebind.cli.main import main

main()
