"""Labelled pictures as users bring them: the archive as downloaded, zipped or unpacked.

Labels come from the folder that holds a picture, whatever lies above it; the official test stays apart. Knows nothing
of pixels: bytes in, bytes out.
"""

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, Protocol

from inspection.errors import BadRequest
from inspection.judgement import DEF_FRONT, OK_FRONT

LABELS = (OK_FRONT, DEF_FRONT)
SUFFIXES = frozenset({".jpeg", ".jpg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
Split = Literal["train", "test", "unsplit"]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One picture of the archive: ``path`` inside it, ``label`` from its folder, ``split`` from the folders above."""

    path: str
    label: str
    split: Split


class Source(Protocol):
    """A place with files: their names, relative and with forward slashes, and their bytes."""

    def names(self) -> list[str]: ...

    def read(self, name: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Folder:
    root: Path

    def names(self) -> list[str]:
        return [path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()]

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()


@dataclass(frozen=True, slots=True)
class _Zip:
    archive: zipfile.ZipFile

    def names(self) -> list[str]:
        return [member.filename for member in self.archive.infolist() if not member.is_dir()]

    def read(self, name: str) -> bytes:
        return self.archive.read(name)


@contextmanager
def opened(data: Path) -> Iterator[Source]:
    """Open a folder or a zip.

    Raises:
        BadRequest: ``no_data``, it is neither.
    """
    if data.is_dir():
        yield _Folder(data)
        return
    try:
        archive = zipfile.ZipFile(data)
    except (OSError, zipfile.BadZipFile) as error:
        raise BadRequest("no_data", f"{data} is neither a folder nor a zip file.") from error
    with archive:
        yield _Zip(archive)


def listing(source: Source) -> list[Labelled]:
    """Every labelled picture, sorted by path; files in other folders are left out.

    Raises:
        BadRequest: ``no_labels``, no folder named ``ok_front`` or ``def_front`` holds a picture.
    """
    found = [labelled for name in sorted(source.names()) if (labelled := _labelled(name)) is not None]
    if len({one.label for one in found}) < len(LABELS):
        raise BadRequest("no_labels", "Folders named ok_front and def_front with pictures are needed.")
    return found


def for_training(found: list[Labelled]) -> list[Labelled]:
    """What may be trained on: the training folders where there are any, else whatever is not the test.

    Pictures outside ``train`` are then left out, because the archive's unsplit originals show parts of the test too.
    """
    train = [one for one in found if one.split == "train"]
    return train or [one for one in found if one.split != "test"]


def for_test(found: list[Labelled]) -> list[Labelled]:
    """The official test; everything where the archive knows no split at all, such as a folder of one's own."""
    if all(one.split == "unsplit" for one in found):
        return found
    return [one for one in found if one.split == "test"]


def digest(content: Iterator[tuple[str, str]]) -> str:
    """SHA-256 over (label, SHA-256 of the bytes) of every picture in any order: names the data a model saw."""
    total = hashlib.sha256()
    for label, sha256 in sorted(content):
        total.update(f"{label} {sha256}\n".encode())
    return total.hexdigest()


def _labelled(name: str) -> Labelled | None:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    if hidden or path.suffix.lower() not in SUFFIXES or path.parent.name not in LABELS:
        return None
    above = {part.lower() for part in path.parts[:-2]}
    split: Split = "test" if "test" in above else "train" if "train" in above else "unsplit"
    return Labelled(name, path.parent.name, split)
