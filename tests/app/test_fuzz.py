"""Strangers' bytes and strangers' calls: a short form of ``make fuzz``, and the OpenAPI document taken at its word."""

from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from app.envelope import ENDLESS
from tests.app import fuzz
from tests.serving import LocalJudge, running

CALLS = 8  # made-up calls an operation
PATIENT = 5.0  # seconds in which any one call is answered


def test_the_decoder_copes_with_anything() -> None:
    fuzz.decoder(1500)


def test_the_form_copes_with_anything() -> None:
    fuzz.form(1500)


def test_no_call_that_the_document_allows_ends_in_a_500(tmp_path: Path) -> None:
    with running(tmp_path, LocalJudge()) as service:
        schema = schemathesis.openapi.from_url(f"{service.address}/openapi.json")
        operations = [found.ok() for found in schema.get_all_operations()]
        tried = [operation for operation in operations if operation.path not in ENDLESS]
        assert len(tried) >= 15
        for operation in tried:

            @settings(
                max_examples=CALLS,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy())
            def holds(case: schemathesis.Case) -> None:
                answer = case.call()
                if answer.status_code == 504:  # the right answer to who gives less time than a judgement takes
                    assert float(case.headers["X-Request-Timeout"]) < PATIENT
                else:
                    assert answer.status_code < 500, (answer.status_code, answer.text)

            holds()
