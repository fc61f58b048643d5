"""What the settings ask for fits on the node that is made for them."""

from typing import Any

import pytest

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
