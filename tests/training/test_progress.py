"""Progress lines: an ETA that follows the clock, nothing written too often, half lines left out."""

import pytest

from training.progress import Journal, printed, read


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_eta_counts_only_what_this_start_worked(tmp_path):
    clock = Clock()
    journal = Journal(tmp_path / "p", epochs=10, first_epoch=4, clock=clock)
    clock.now = 60.0
    journal.epoch(4, 0.5, 0.4, 0.99, 0.01)
    (record,) = read(tmp_path / "p")
    assert record.eta == pytest.approx(5 * 60)
    assert record.line() == (
        "epoch 5/10  100%  loss 0.5000  validation loss 0.4000  recall 99.00%  false alarms 1.00%  ETA 5:00"
    )


def test_steps_are_told_at_most_every_fifteen_seconds(tmp_path):
    clock = Clock()
    journal = Journal(tmp_path / "p", 1, 0, clock)
    for second in range(60):
        clock.now = float(second)
        journal.step(0, second / 60, 0.1)
    assert len(read(tmp_path / "p")) == 3


def test_a_line_half_written_is_left_out(tmp_path):
    journal = Journal(tmp_path / "p", 2, 0)
    journal.epoch(0, 0.5, 0.4, 1.0, 0.0)
    with (tmp_path / "p").open("a") as file:
        file.write('{"epoch": 2, "epo')
    assert len(read(tmp_path / "p")) == 1


def test_of_what_was_there_before_only_the_last_is_said_once(tmp_path):
    journal, said = Journal(tmp_path / "p", 3, 0), []
    journal.epoch(0, 0.5, 0.4, 1.0, 0.0)
    journal.epoch(1, 0.4, 0.3, 1.0, 0.0)
    with printed(tmp_path / "p", said.append):
        journal.epoch(2, 0.3, 0.2, 1.0, 0.0)
    assert [line.partition("  ")[0] for line in said] == ["Going on from epoch 2/3", "epoch 3/3"]
