"""Whatever the OpenAPI document of the EPCIS service allows, and what it does not, is never a server error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error

from data.accounts import Role

EXAMPLES = 8


def test_no_generated_request_gets_a_server_error(app: Any, header_of: Callable[..., dict[str, str]]) -> None:
    headers = header_of(Role.ADMINISTRATOR)
    schema = schemathesis.openapi.from_wsgi("/epcis/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 25
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
            case.call_and_validate(headers=headers, checks=[not_a_server_error])

        ask()
