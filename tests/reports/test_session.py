"""Java: found, too old, or missing with a word on how to get it."""

from pathlib import Path

import pytest

from reports.session import NoJava, check_java, java_version


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_202"', 8),
        ('openjdk version "25-ea" 2025-09-16', 25),
        ('NOTE: Picked up JDK_JAVA_OPTIONS: -Xint\nopenjdk version "21" 2023-09-19', 21),
    ],
)
def test_the_version_is_read(said: str, version: int) -> None:
    assert java_version(said) == version


def test_no_java_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoJava, match="apt-get install openjdk-17"):
        check_java()


def test_an_old_java_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(NoJava, match="is Java 11"):
        check_java()
