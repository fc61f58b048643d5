"""Real processes, really killed: what was answered is there, no number is missing, and the next one goes on."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import pytest
from sqlalchemy import func, select

from inspection.errors import Unavailable
from ledger import Ledger
from ledger.database import connect
from ledger.schema import migrate
from ledger.tables import answers, events, journals
from tests.ledger.drafts import entry, inspected

ROOT = Path(__file__).parents[2]
OPEN = "import sys; from ledger import Ledger; t = Ledger.open(sys.argv[1])"
Answered = tuple[str, int, str]


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process whose lines we read; killed at the end, if it still runs."""
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def killed_after(process: subprocess.Popen[str], lines: int) -> list[Answered]:
    """Read so many lines, kill -9, and return all that it had answered by then."""
    assert process.stdout is not None
    read = [process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    read += process.stdout.readlines()
    whole = [line.split() for line in read if line.endswith("\n")]
    return [(journal, int(number), event_id) for journal, number, event_id in whole]


def stored(ledger: Ledger) -> set[Answered]:
    query = select(journals.c.id, events.c.number, events.c.event_id).join(events, events.c.journal == journals.c.key)
    with ledger._engine.connect() as connection:
        return {(journal, number, event_id) for journal, number, event_id in connection.execute(query)}


def test_whatever_is_killed_no_answer_is_lost_and_no_number_missing(url: str) -> None:
    chance = random.Random(20260301)
    answered: list[Answered] = []
    for round_ in range(2):
        with started("-m", "tests.ledger.writing", url, f"a{round_}-") as one, \
             started("-m", "tests.ledger.writing", url, f"b{round_}-") as two:  # fmt: skip
            answered += killed_after(one, chance.randrange(1, 80))
            answered += killed_after(two, chance.randrange(1, 80))
    ledger = Ledger.open(url)
    found = stored(ledger)
    assert set(answered) <= found
    assert len({(journal, number) for journal, number, _ in found}) == len(found)
    by_journal = groupby(sorted(found), key=lambda one: one[0])
    counts = {journal: [number for _, number, _ in numbers] for journal, numbers in by_journal}
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in counts.values())
    with ledger._engine.connect() as connection:
        issued = {row.id: row.issued for row in connection.execute(select(journals)) if row.issued}
        kept = connection.scalar(select(func.count()).select_from(answers).where(answers.c.body.is_not(None)))
        every = connection.scalar(select(func.count()).select_from(answers))
    assert issued == {journal: len(numbers) for journal, numbers in counts.items()}
    assert kept == every  # no key was claimed without its answer
    assert len(counts) == 4
    ledger.close()


def test_the_lock_of_a_killed_relay_is_free_at_once(url: str) -> None:
    holder = f"{OPEN}.outbox.turn(); t.__enter__(); print('held', flush=True); sys.stdin.read()"
    ledger = Ledger.open(url)
    with started("-c", holder, url) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with ledger.outbox.turn() as turn:
            assert turn is None
    for _ in range(100):  # the server of PostgreSQL takes a moment to see that its client is gone
        with ledger.outbox.turn() as turn:
            if turn is not None:
                break
        time.sleep(0.05)
    else:
        pytest.fail("the lock outlived its holder")
    ledger.close()


def test_processes_that_open_a_new_ledger_at_once_agree(url: str) -> None:
    program = f"{OPEN}; print(t.id)"
    processes = [
        subprocess.Popen([sys.executable, "-c", program, url], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(set(said)) == 1


def test_a_ledger_of_a_newer_version_is_left_alone(url: str) -> None:
    ledger = Ledger.open(url)
    with ledger._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from-the-future'")
    ledger.close()
    with pytest.raises(Unavailable) as caught:
        Ledger.open(url)
    assert caught.value.code == "ledger_newer"


def test_a_full_disk_is_answered_with_a_retryable_error_and_nothing_is_lost(tmp_path: Path) -> None:
    """SQLite's own limit of pages: the error, the rollback and the recovery are those of a full disk."""
    engine = connect(f"sqlite:///{tmp_path}/ledger.sqlite")
    migrate(engine)
    ledger = Ledger(engine, "x")
    recorder = ledger.recorder(second_look=0.1)
    answered = [recorder.submit(entry()).result(timeout=30).events[0]]

    def pages(most: int) -> None:
        engine.dispose()  # the limit belongs to a connection, so that all are made anew
        limit.append(most)

    from sqlalchemy import event as hook

    limit = [10**9]
    hook.listen(engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count={limit[-1]}").close())
    with engine.connect() as connection:
        used = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    pages(used + 20)
    refused = 0
    for _ in range(60):
        try:
            answered.append(recorder.submit(entry(inspected(note="x" * 3000))).result(timeout=30).events[0])
        except Unavailable as error:
            assert error.code == "ledger_unavailable"
            refused += 1
    assert refused > 0
    pages(10**9)
    answered.append(recorder.submit(entry()).result(timeout=30).events[0])
    recorder.close()
    found = stored(ledger)
    assert {(e.journal, e.number, e.event_id) for e in answered} == found
    assert len({journal for journal, _, _ in found}) >= 2  # a doubtful journal was left
    ledger.close()
