"""Files that are there whole or not at all, and one sentence where the disk does not take them."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

REMEDIES = {
    errno.ENOSPC: "make space there",
    errno.EDQUOT: "make space within the quota",
    errno.EFBIG: "raise the limit on a file's size (ulimit -f)",
    errno.EROFS: "choose a folder that can be written to, or mount it so",
    errno.EACCES: "choose a folder that can be written to, or change its permissions",
    errno.EPERM: "choose a folder that can be written to, or change its permissions",
    errno.ENOTDIR: "a folder is needed where a file is: move the file or choose another folder",
    errno.EEXIST: "a folder is needed where a file is: move the file or choose another folder",
    errno.ENOENT: "a file or folder of the run was removed meanwhile",
    errno.ENAMETOOLONG: "choose a shorter name or a folder nearer to the root",
    errno.EIO: "the disk or the network drive fails: see the system's log",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.ENOLCK: "choose a file system with file locks",
    errno.EOPNOTSUPP: "choose a file system with file locks",
}
KIBIBYTE = 1024


class StorageError(OSError):
    """A file or folder that could not be written: the message names it, the cause, what is there, and a remedy."""


@contextmanager
def storing(path: Path, needed_bytes: int | None = None) -> Iterator[None]:
    """Whatever the operating system refuses inside becomes a `StorageError` about `path`.

    Args:
      path: what is being written.
      needed_bytes: how much of it, if known.

    Raises:
      StorageError: instead of any other `OSError`.
    """
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(_sentence(path, error, needed_bytes)) from error


def _sentence(path: Path, error: OSError, needed_bytes: int | None) -> str:
    facts = [] if needed_bytes is None else [f"{size_text(needed_bytes)} to write"]
    if error.errno == errno.EFBIG:
        facts.append(f"limit {size_text(resource.getrlimit(resource.RLIMIT_FSIZE)[0])}")
    elif (free := free_bytes(path)) is not None:
        facts.append(f"{size_text(free)} free")
    remedy = REMEDIES.get(error.errno or 0, "see what is there")
    return f"{path} cannot be written: {error.strerror or error} ({', '.join(facts)}); {remedy}"


def free_bytes(path: Path) -> int | None:
    """What an unprivileged process may still write where `path` is or will be; None if nobody knows."""
    for place in (path, *path.absolute().parents):
        try:
            found = os.statvfs(place)
        except OSError:
            continue
        return found.f_bavail * found.f_frsize
    return None


def size_text(count: int) -> str:
    """`812 bytes`, `1.5 KiB`, `64.0 MiB`."""
    if count < KIBIBYTE:
        return f"{count} bytes"
    power = min(4, (count.bit_length() - 1) // 10)
    return f"{count / KIBIBYTE**power:.1f} {'KMGT'[power - 1]}iB"


def write_bytes(path: Path, data: bytes | memoryview, *, durable: bool = True) -> None:
    """Writes a file so that a reader finds the old one or the new one, never a part, whatever happens meanwhile.

    Args:
      path: of the file; its folder is there.
      data: all of it.
      durable: wait until it is on the disk, which takes some milliseconds; not for what can be made again.

    Raises:
      StorageError: if it cannot be written; the old file is still there then, and no temporary one.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with storing(path, len(data)):
        try:
            with temporary.open("wb", buffering=0) as file:
                append(file, data)
                if durable:
                    os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if durable:
            sync_directory(path.parent)


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """The same for text, as UTF-8; lines end as they do in `text`."""
    write_bytes(path, text.encode(), durable=durable)


def append(file: FileIO, data: bytes | memoryview) -> None:
    """Writes all of `data` to an unbuffered file: what cannot be written now is not tried again when it is closed.

    Raises:
      StorageError: if it cannot be written; a part of it may be there then.
    """
    with storing(Path(os.fsdecode(file.name)), len(data)):
        rest = memoryview(data)
        while len(rest):
            rest = rest[file.write(rest) :]


def make_folder(path: Path) -> None:
    """Makes a folder, with those above it, if it is not there.

    Raises:
      StorageError: if it cannot be made, or a file is where it should be.
    """
    with storing(path):
        path.mkdir(parents=True, exist_ok=True)


def sync_directory(folder: Path) -> None:
    """Waits until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
