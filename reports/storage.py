"""Where lake and reports lie: a local folder, or whatever file system Spark's Hadoop client reaches.

Both list, read footers, and write by a temporary name and a rename. Knows nothing of what is in the files.
"""

import os
import shutil
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlparse

import pyarrow.parquet as pq

from reports.lake import FOOTER_KEY, LakeFile, unreadable

_WORKERS = 8
#: Another report may put its own file there between deletion and renaming.
_TRIES = 10


class Storage(Protocol):
    """Paths are whole: local ones absolute, others with their scheme."""

    def lake_files(self, root: str) -> Sequence[LakeFile]:
        """Every file of the lake, sorted by topic, partition and start. Raises LakeUnreadable without a root."""
        ...

    def footers(self, paths: Sequence[str]) -> Sequence[str]:
        """The footers' JSON text, in order. Raises LakeUnreadable."""
        ...

    def exists(self, path: str) -> bool: ...

    def read(self, path: str) -> bytes | None:
        """None when there is no such file."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Write under a temporary name, then rename over what was there."""
        ...

    def move(self, source: str, target: str) -> bool:
        """Rename a folder; False when the target exists already (then the source is removed)."""
        ...

    def remove(self, path: str) -> None:
        """Remove a folder and all in it, if it is there."""
        ...

    def lengths(self, folder: str) -> Mapping[str, int]:
        """Names and lengths in bytes of the files directly in ``folder``; none when there is no such folder."""
        ...

    def sweep(self, folder: str, keep: Collection[str], seconds: float) -> None:
        """Remove what is directly in ``folder``, not in ``keep``, and was last changed more than ``seconds`` ago."""
        ...


class LocalStorage:
    """A local file system."""

    def lake_files(self, root: str) -> Sequence[LakeFile]:
        if not Path(root).is_dir():
            raise unreadable(root, "there is no such folder")
        files: list[LakeFile] = []
        for day in os.scandir(root):
            if day.name.startswith("date=") and day.is_dir():
                found = (LakeFile.parse(entry.path, entry.stat().st_size) for entry in os.scandir(day.path))
                files.extend(file for file in found if file is not None)
        return sorted(files)

    def footers(self, paths: Sequence[str]) -> Sequence[str]:
        with ThreadPoolExecutor(_WORKERS) as pool:
            return list(pool.map(_local_footer, paths))

    def exists(self, path: str) -> bool:
        return Path(path).exists()

    def read(self, path: str) -> bytes | None:
        try:
            return Path(path).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, path: str, data: bytes) -> None:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        temporary.write_bytes(data)
        temporary.replace(target)

    def move(self, source: str, target: str) -> bool:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        try:
            Path(source).rename(target)
        except OSError:
            if not Path(target).exists():
                raise
            self.remove(source)
            return False
        return True

    def remove(self, path: str) -> None:
        shutil.rmtree(path, ignore_errors=True)

    def lengths(self, folder: str) -> Mapping[str, int]:
        if not Path(folder).is_dir():
            return {}
        return {entry.name: entry.stat().st_size for entry in os.scandir(folder) if entry.is_file()}

    def sweep(self, folder: str, keep: Collection[str], seconds: float) -> None:
        for entry in os.scandir(folder) if Path(folder).is_dir() else ():
            with suppress(FileNotFoundError):  # another report swept it
                if entry.name not in keep and time.time() - entry.stat().st_mtime > seconds:
                    self.remove(entry.path)


def _local_footer(path: str) -> str:
    try:
        metadata = pq.read_metadata(path).metadata or {}
        return str(metadata[FOOTER_KEY.encode()].decode())
    except (OSError, ValueError, KeyError) as error:
        raise unreadable(path, f"no footer of the lake ({type(error).__name__})") from error


class HadoopStorage:
    """``hdfs://`` and other schemes, through the Java virtual machine that Spark has started."""

    def __init__(self, spark: Any, root: str) -> None:
        self._jvm: Any = spark.sparkContext._jvm
        self._conf: Any = spark.sparkContext._jsc.hadoopConfiguration()
        self._fs: Any = self._path(root).getFileSystem(self._conf)

    def _path(self, path: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(path)

    def lake_files(self, root: str) -> Sequence[LakeFile]:
        try:
            there = self._fs.exists(self._path(root))
        except Exception as error:  # py4j wraps whatever Java throws
            java = getattr(error, "java_exception", None)
            raise unreadable(root, java.getMessage() if java is not None else error) from error
        if not there:
            raise unreadable(root, "there is no such folder")
        days = [s.getPath() for s in self._fs.listStatus(self._path(root)) if s.isDirectory()]
        found = (
            LakeFile.parse(unquote(status.getPath().toString()), status.getLen())
            for day in days
            if day.getName().startswith("date=")
            for status in self._fs.listStatus(day)
        )
        return sorted(file for file in found if file is not None)

    def footers(self, paths: Sequence[str]) -> Sequence[str]:
        with ThreadPoolExecutor(_WORKERS) as pool:
            return list(pool.map(self._footer, paths))

    def _footer(self, path: str) -> str:
        reader: Any = None
        try:
            source = self._jvm.org.apache.parquet.hadoop.util.HadoopInputFile.fromPath(self._path(path), self._conf)
            reader = self._jvm.org.apache.parquet.hadoop.ParquetFileReader.open(source)
            text = reader.getFileMetaData().getKeyValueMetaData().get(FOOTER_KEY)
        except Exception as error:  # py4j wraps whatever Java throws
            raise unreadable(path, f"no footer of the lake ({type(error).__name__})") from error
        finally:
            if reader is not None:
                reader.close()
        if text is None:
            raise unreadable(path, "no footer of the lake")
        return str(text)

    def exists(self, path: str) -> bool:
        return bool(self._fs.exists(self._path(path)))

    def read(self, path: str) -> bytes | None:
        if not self.exists(path):
            return None
        stream = self._fs.open(self._path(path))
        try:
            return bytes(self._jvm.org.apache.commons.io.IOUtils.toByteArray(stream))
        finally:
            stream.close()

    def write(self, path: str, data: bytes) -> None:
        target, temporary = self._path(path), self._path(f"{path}.{uuid.uuid4().hex}.tmp")
        stream = self._fs.create(temporary, True)
        try:
            stream.write(bytearray(data))
        finally:
            stream.close()
        for _ in range(_TRIES):
            self._fs.delete(target, False)  # HDFS does not rename over a file
            if self._fs.rename(temporary, target):
                return
        self._fs.delete(temporary, False)
        raise unreadable(path, "could not be renamed to")

    def move(self, source: str, target: str) -> bool:
        self._fs.mkdirs(self._path(target).getParent())
        if self.exists(target) or not self._fs.rename(self._path(source), self._path(target)):
            self.remove(source)
            return False
        return True

    def remove(self, path: str) -> None:
        self._fs.delete(self._path(path), True)

    def lengths(self, folder: str) -> Mapping[str, int]:
        return {s.getPath().getName(): s.getLen() for s in self._list(folder) if s.isFile()}

    def sweep(self, folder: str, keep: Collection[str], seconds: float) -> None:
        for status in self._list(folder):
            old = time.time() - status.getModificationTime() / 1000 > seconds
            if status.getPath().getName() not in keep and old:
                self._fs.delete(status.getPath(), True)

    def _list(self, folder: str) -> Sequence[Any]:
        return list(self._fs.listStatus(self._path(folder))) if self.exists(folder) else []


def is_remote(path: str) -> bool:
    return "://" in path and not path.startswith("file:")


def whole(path: str) -> str:
    """An absolute local path, or the URL as it is without a slash at its end."""
    if is_remote(path):
        return path.rstrip("/")
    return str(Path(unquote(urlparse(path).path) if path.startswith("file:") else path).absolute())


def storage_for(spark: Any, root: str) -> Storage:
    """By the root's scheme."""
    return HadoopStorage(spark, root) if is_remote(root) else LocalStorage()
