"""The first key of a cluster: written by a Job from a Secret, which may run again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inspection.errors import BadRequest, NotFound
from ledger import Ledger

SECRET = "cast_" + "0123456789abcdef" * 2


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    yield opened
    opened.close()


def test_a_secret_made_elsewhere_opens_as_what_it_was_added_for(ledger: Ledger) -> None:
    ledger.keys.add("admin", "first", SECRET)
    key = ledger.keys.check(SECRET)
    assert key is not None
    assert (key.role, key.name) == ("admin", "first")


def test_added_again_it_is_one_key(ledger: Ledger) -> None:
    for _ in range(3):
        ledger.keys.add("admin", "first", SECRET)
    assert len(ledger.keys.list()) == 1


def test_added_again_a_revoked_key_stays_revoked(ledger: Ledger) -> None:
    ledger.keys.add("admin", "first", SECRET)
    ledger.keys.revoke(ledger.keys.list()[0].id)
    ledger.keys.add("admin", "first", SECRET)
    assert ledger.keys.check(SECRET) is None
    with pytest.raises(NotFound):
        ledger.keys.revoke(ledger.keys.list()[0].id)


def test_a_secret_that_could_be_guessed_is_refused(ledger: Ledger) -> None:
    with pytest.raises(BadRequest) as refused:
        ledger.keys.add("admin", "first", "secret")
    assert refused.value.code == "weak_secret"
    assert ledger.keys.list() == []
