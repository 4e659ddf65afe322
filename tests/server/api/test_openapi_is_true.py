"""What /openapi.json says is what the server does: schemathesis asks whatever it allows."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from app.contract.vocabulary import Role
from tests.support.desk import an_app, headers_of
from tests.support.imports import PICK, RECEIPT, import_rows, make_site

MINE = r"^/api/v1/(imports|stock|movements|orders|purchase-orders|shipments|returns|payouts|history|exports)"
QUICK = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def schema_and_headers(databases, tmp_path_factory):
    """The schema of an application with a little in its book, and a lead's bearer."""
    folder = tmp_path_factory.mktemp("openapi")
    database = databases.make("sqlite", folder)
    make_site(database, folder)
    import_rows(database, folder, "movements", RECEIPT, PICK)
    schema = schemathesis.openapi.from_asgi("/openapi.json", an_app(database))
    yield schema.include(path_regex=MINE), headers_of(database, Role.LEAD)
    database.close()


def test_every_operation_answers_as_it_says(schema_and_headers):
    schema, headers = schema_and_headers
    asked = []
    for found in schema.get_all_operations():
        operation = found.ok()

        @QUICK
        @given(case=operation.as_strategy())
        def ask(case):
            # Whether a file's rows are good is beyond any schema: a refusal of them is a true answer.
            case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

        ask()
        asked.append(operation.label)
    assert len(asked) >= 17
