"""Whatever the OpenAPI document allows, and what it does not, is never answered with a server error."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error

EXAMPLES = 6


def test_no_generated_request_gets_a_server_error(app: Any) -> None:
    schema = schemathesis.openapi.from_wsgi("/ogc/api", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 20
    tried = set()
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: Any) -> None:
            case.call_and_validate(checks=[not_a_server_error])

        ask()
        tried.add((operation.method, operation.path))
    assert len(tried) == len(operations)
