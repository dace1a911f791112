"""A folder of clips that people recorded of themselves, with labels, signers and their consent.

``manifest.csv`` is authoritative: a clip is at SIGNER/LABEL/ and counts once it has a row. All rows are rewritten after
each clip, so a killed run leaves a valid folder.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from signary.datasets.readers.clip_folders import COLUMNS, CONSENT, SESSION, TABLE, find_clips
from signary.datasets.readers.reader import Options
from signary.datasets.readers.table import read_table
from signary.errors import InputError
from signary.output import make_folder, whole_file

SIGNER = "signer"
KNOWN = (*COLUMNS, SIGNER, SESSION, CONSENT)
CLIP, SHEET = ".mp4", ".png"
NOT_IN_NAMES = frozenset('/\\:*?"<>|')

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Person:
    """A signer in a session.

    Parameters
    ----------
    name : str
    consent : str
        What the clips may be used for, in the person's words; empty if not stated.
    session : str
        Name of the recording session; clips of one session look alike.
    """

    name: str
    consent: str = ""
    session: str = ""


def check_name(name: str, kind: str) -> None:
    """Refuse a name of a signer or label that cannot be a folder name.

    Raises
    ------
    InputError
    """
    if not name.strip() or name != name.strip() or name[0] == "." or NOT_IN_NAMES & {*name} or not name.isprintable():
        hint = "letters, digits, spaces and - _ . ' within, since a folder is named after it"
        raise InputError(f"{kind}={name!r}: cannot be used", hint=hint)


class Recordings:
    """A folder of recorded clips.

    Parameters
    ----------
    folder : str or Path
        Created with the first clip. Clips of a folder without a manifest (LABEL/CLIP.mp4) have no signer.

    Raises
    ------
    InputError
        If the path is a file, or the manifest cannot be read.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.table = self.folder / TABLE
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"{self.folder}: is no folder", hint="name the folder that clips are kept in")
        self.rows()

    def rows(self) -> list[Row]:
        """Return the metadata of each clip, oldest first: path, label, signer, session, consent and more."""
        if self.table.is_file():
            return read_table(self.table, COLUMNS)
        if not self.folder.is_dir():
            return []
        return [{"path": one.about["id"], "label": one.about["label"]} for one in find_clips(self.folder, Options())]

    def consent_of(self, signer: str) -> str:
        """Return the latest consent of a signer, or ""."""
        said = [row.get(CONSENT, "") for row in self.rows() if row.get(SIGNER) == signer]
        return next(filter(None, reversed(said)), "")

    def count(self, label: str, signer: str) -> int:
        """Return the number of clips of a label by a signer."""
        return sum(row["label"] == label and row.get(SIGNER) == signer for row in self.rows())

    def add(self, label: str, person: Person, write: Callable[[Path], object]) -> Path:
        """Add a clip.

        Parameters
        ----------
        label : str
        person : Person
        write : callable(path)
            Writes the clip, completely or not at all.

        Returns
        -------
        Path
            The clip.

        Raises
        ------
        InputError
            If the label or name cannot be used, or the folder cannot be written.
        """
        check_name(label, "label")
        check_name(person.name, SIGNER)
        rows = self.rows()
        place = self.folder / person.name / label
        make_folder(place)
        number = 1
        while (path := place / f"{person.session}-{number:03d}{CLIP}").exists():
            number += 1
        write(path)
        told = (path.relative_to(self.folder).as_posix(), label, person.name, person.session, person.consent)
        self._write([*rows, dict(zip(KNOWN, told, strict=True))])
        return path

    def sheet(self, label: str, person: Person) -> Path:
        """Return the path of the contact sheet of a session's clips of a label."""
        return self.folder / person.name / label / f"{person.session}{SHEET}"

    def take_back(self, label: str, signer: str) -> Path | None:
        """Remove a signer's last clip of a label, with the contact sheet of its session.

        Returns
        -------
        Path or None
            The removed clip.
        """
        rows = self.rows()
        mine = [place for place, row in enumerate(rows) if row["label"] == label and row.get(SIGNER) == signer]
        if not mine:
            return None
        row = rows.pop(mine[-1])
        path = self._inside(row)
        path.with_name(f"{row.get(SESSION, '')}{SHEET}").unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        self._write(rows)
        return path

    def remove_signer(self, signer: str) -> int:
        """Remove all clips, sheets and rows of a person; files first, so that none is left if it is interrupted.

        Returns
        -------
        int
            Clips removed.

        Raises
        ------
        InputError
            If there is no such signer.
        """
        rows = self.rows()
        names = sorted({row.get(SIGNER, "") for row in rows} - {""})
        if signer not in names:
            raise InputError(f"{self.folder}: no clip of {signer!r}", hint=f"signers: {', '.join(names) or 'none'}")
        kept = [row for row in rows if row.get(SIGNER) != signer]
        others = {self.folder / row["path"] for row in kept}
        mine = {self._inside(row) for row in rows if row.get(SIGNER) == signer}
        # sheets, and files left by a killed run, have no row
        left = [path for path in (self.folder / signer).rglob("*") if path.suffix in (CLIP, SHEET)]
        for path in {*mine, *left} - others:
            path.unlink(missing_ok=True)
        self._write(kept)
        for place in [*sorted((self.folder / signer).rglob("*"), reverse=True), self.folder / signer]:
            if place.is_dir() and not any(place.iterdir()):
                place.rmdir()
        return len(mine)

    def _inside(self, row: Row) -> Path:
        path = self.folder / row["path"]
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise InputError(f"{path}: lies outside {self.folder}, so it stays", hint="remove it and its row by hand")
        return path

    def _write(self, rows: Sequence[Row]) -> None:
        if not rows:
            self.table.unlink(missing_ok=True)
            return
        columns = dict.fromkeys([*KNOWN, *(name for row in rows for name in row)])
        with whole_file(self.table, force=True) as draft, draft.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
