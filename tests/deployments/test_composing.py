"""What the settings ask for fits on the node that is made for them."""

from typing import Any

import pytest
from pydantic import ValidationError

from deployments.settings import Settings


@pytest.mark.parametrize(
    ("given", "cpus"),
    [
        ({}, 1.1),
        ({"ingress_replicas": 4, "classifier_replicas": 3}, 3.6),
        ({"classifier_max_replicas": 8}, 4.6),
        ({"prepare": "apart", "preparer_replicas": 5}, 2.6),
    ],
)
def test_every_replica_finds_its_logical_cpus(given: dict[str, Any], cpus: float) -> None:
    assert Settings(**given).logical_cpus == pytest.approx(cpus)


@pytest.mark.parametrize(
    "given", [{"max_body_mib": 64, "max_held_mib": 63}, {"max_body_mib": 300, "max_held_mib": 512}]
)
def test_a_call_that_could_never_be_taken_is_not_allowed_for(given: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match=r"MAX_BODY_MIB|less than or equal"):
        Settings(**given)
