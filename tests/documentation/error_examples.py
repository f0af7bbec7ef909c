"""What is on the page of errors."""

from __future__ import annotations

from typing import Final

from tests.documentation.observing_errors import OBSERVING
from tests.documentation.recording_errors import SHAPES, VALUES
from tests.documentation.running_errors import CONTAINERS, ENGINES, PROGRAMS, SERVING

from latebind import errors
from latebind.examples.digits_client import ClientError
from latebind.services.serving import errors as serving
from latebind.services.serving.server import AddressError

#: Root of everything, and what only its subclasses are raised as.
BASES: Final = {
    errors.LatebindError: "the root of all: catch it to catch whatever latebind raises on purpose",
}

#: What has no example here: what clients of a server get is in docs/serving.md; an address that cannot be used belongs
#: to a machine, and the last one to an example program.
UNPUBLISHED: Final = {
    *(each for each in vars(serving).values() if isinstance(each, type) and issubclass(each, serving.ServingError)),
    AddressError,
    ClientError,
}

#: Sections of the page.
SECTIONS: Final = {
    "Shapes, dtypes and indices": SHAPES,
    "Values": VALUES,
    "Configuration and containers": CONTAINERS,
    "Engines": ENGINES,
    "Explaining and measuring": OBSERVING,
    "The command line": PROGRAMS,
    "Serving": SERVING,
}
