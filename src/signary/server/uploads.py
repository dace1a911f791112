"""Uploaded recordings: read one at a time from a temporary file, then deleted."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, BinaryIO
from zipfile import ZipFile, is_zipfile

from signary.errors import InputError, SignaryError
from signary.landmarks.skeleton import HOLISTIC_543
from signary.recognition.recognizer import Recognizer
from signary.server.options import ServeOptions
from signary.text.recognition import Recognition
from signary.video.kinds import LANDMARK_ENDINGS, LIST_SIGNATURE, PHOTO_ENDINGS, VIDEO_ENDINGS

MOST_WAITING = 4
LOOK_S = 0.5  # between two checks whether the client is still connected
NAME_LENGTH = 100
POINT_BYTES = 64  # of one point of one frame, unpacked, in any layout


class Busy(SignaryError):
    """Too many files are waiting."""


class Uploads:
    """Reads uploaded files."""

    def __init__(self, options: ServeOptions) -> None:
        self._options = options
        self._pool = ThreadPoolExecutor(1, "signary-upload")
        self._waiting, self._stopping = 0, Event()

    async def read(
        self, reader: Recognizer, file: BinaryIO, name: str, gone: Callable[[], Awaitable[bool]], **how: Any
    ) -> Recognition:
        """Read one file.

        Parameters
        ----------
        reader : Recognizer
        file : binary file
        name : str
            From the client; its ending is the kind.
        gone : async callable
            Whether the client has disconnected; then reading stops.
        **how
            As for `Recognizer.recognize`.

        Raises
        ------
        Busy
            If `MOST_WAITING` files are waiting.
        SignaryError
            If it cannot be read.
        """
        if self._waiting >= MOST_WAITING:
            raise Busy(f"{self._waiting} files wait already", hint="try again in a while")
        left = Event()
        self._waiting += 1
        try:
            work = asyncio.get_running_loop().run_in_executor(self._pool, self._read, reader, file, name, left, how)
            while not (await asyncio.wait([work], timeout=LOOK_S))[0]:
                if await gone():
                    left.set()
            return work.result()
        finally:
            left.set()
            self._waiting -= 1

    def close(self) -> None:
        """Stop reading."""
        self._stopping.set()
        self._pool.shutdown(cancel_futures=True)

    def _read(self, reader: Recognizer, file: BinaryIO, name: str, left: Event, how: dict[str, Any]) -> Recognition:
        def check(done: int, _: int | None) -> None:
            if left.is_set() or self._stopping.is_set():
                raise InputError(f"{name}: stopped", hint="send it again")
            if done > self._options.upload_frames:
                raise InputError(f"{name}: more than {self._options.upload_frames} frames", hint="cut it into parts")

        with TemporaryDirectory(prefix="signary-") as folder:
            path = Path(folder) / f"upload{_ending(name)}"
            with path.open("wb") as copy:
                shutil.copyfileobj(file, copy, 2**20)
            try:
                check(0, None)
                self._check_content(path)
                result = reader.recognize(path, on_progress=check, **how)
            except SignaryError as error:
                error.message = error.message.replace(str(path), name)
                raise
            warnings = tuple(warning.replace(str(path), name) for warning in result.warnings)
            return replace(result, source=name, warnings=warnings)

    def _check_content(self, path: Path) -> None:
        """Refuse playlists, and landmarks that unpack to more than the longest clip."""
        with path.open("rb") as file:
            if LIST_SIGNATURE.match(file.read(64)):
                raise InputError(f"{path}: names other files, holds no pictures", hint="send a photo or a video")
        unpacked = 0
        if path.suffix == ".npz" and is_zipfile(path):
            with ZipFile(path) as archive:
                unpacked = sum(part.file_size for part in archive.infolist())
        elif path.suffix == ".parquet":
            unpacked = _parquet_bytes(path)
        if unpacked > self._options.upload_frames * len(HOLISTIC_543) * POINT_BYTES:
            raise InputError(f"{path}: unpacks to {unpacked / 1e6:.0f} MB", hint="cut it into parts")


def client_name(name: str | None) -> str:
    """Return a client's file name for answers: without folders and unprintable characters, not too long."""
    plain = PurePosixPath((name or "").replace("\\", "/")).name.lstrip(".")
    return "".join(letter for letter in plain if letter.isprintable())[-NAME_LENGTH:] or "file"


def _ending(name: str) -> str:
    ending = PurePosixPath(name).suffix.lower()
    return ending if ending in (*PHOTO_ENDINGS, *VIDEO_ENDINGS, *LANDMARK_ENDINGS) else ""


def _parquet_bytes(path: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        footer = pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return 0  # reading it raises the error
    return int(footer.num_rows) * int(footer.num_columns) * 8
