"""Which dead letters are sent again without being named: those whose fate the marks still know."""

from streaming.letters import Kept, chosen
from tests.streaming.making import days


def letter(at: int, day: float) -> Kept:
    return Kept(at, "unknown kind", ("prediction_results", 0, at), days(day), "a", at + 1, b"{}")


def test_without_a_name_only_letters_of_the_last_fifty_days_are_sent_again() -> None:
    old, young = letter(0, 1), letter(1, 30)
    assert chosen([old, young], [], days(70)) == [young]


def test_a_named_letter_is_sent_again_however_old_it_is() -> None:
    old, young = letter(0, 1), letter(1, 30)
    assert chosen([old, young], [0], days(70)) == [old]
