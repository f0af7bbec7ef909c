"""Requests made from the OpenAPI document: whatever they hold, the answers are those that the document has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.unit.services.serving.fake_service import FakeService, serve_settings

from latebind.services.serving.app import create_app
from latebind.services.serving.container import serving_container
from latebind.services.serving.openapi import openapi_document

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
schema = schemathesis.openapi.from_dict(openapi_document(serve_settings(), "0"))


@pytest.fixture(scope="module")
def application() -> Iterator[object]:
    container = serving_container(serve_settings(repository=True), Path())
    with container.service.override(FakeService()):
        yield create_app(container)
    container.unwire()


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_are_those_of_the_document(case: schemathesis.Case, application: object) -> None:
    case.call_and_validate(app=application, checks=CHECKS)
