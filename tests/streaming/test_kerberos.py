"""Tickets are asked for where what asks for them isn't installed."""

import pytest

from inspection.errors import NotFound
from streaming.webhdfs import connect


def test_without_requests_kerberos_it_says_what_is_missing() -> None:
    with pytest.raises(NotFound, match="requests-kerberos") as caught:
        connect("hdfs://namenode/predictions", "https://namenode:9871", kerberos=True)
    assert caught.value.code == "no_kerberos"
