"""Programs that `latebind run NAME` can run; each module has a `main(context)`, except those of `NO_PROGRAMS`."""

from typing import Final

#: Modules that are no programs: what all of them use, and the served side of the digits and its client.
NO_PROGRAMS: Final = frozenset({"context", "digits_serving", "digits_client"})
