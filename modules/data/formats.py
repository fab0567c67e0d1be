"""The three file formats of MovieLens, recognised by what is in a folder."""

from dataclasses import dataclass
from pathlib import Path

from modules.errors import DataError


@dataclass(frozen=True)
class Format:
    """How one generation of MovieLens writes its files.

    Attributes:
        name: what a person calls it.
        ratings: name of the file of ratings.
        movies: name of the file of movies.
        separator: what stands between the fields of a rating.
        users: name of the file of users, which need not be there; None where the format has none.
        header: whether the first line names the columns.
    """

    name: str
    ratings: str
    movies: str
    separator: str
    users: str | None = None
    header: bool = False


ML_100K = Format("ml-100k", ratings="u.data", movies="u.item", separator="\t", users="u.user")
DAT = Format("dat", ratings="ratings.dat", movies="movies.dat", separator="::", users="users.dat")
CSV = Format("csv", ratings="ratings.csv", movies="movies.csv", separator=",", header=True)
FORMATS = (ML_100K, DAT, CSV)

_EXPECTED = "expected one of " + ", ".join(f"{f.ratings} with {f.movies}" for f in FORMATS)


def recognise(folder: Path) -> Format:
    """The format whose two files stand in `folder`, neither of them empty.

    Raises:
        DataError: the folder is missing, holds no format, half of one, two of them, or an empty file.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; {_EXPECTED} in it")
    complete = [f for f in FORMATS if (folder / f.ratings).is_file() and (folder / f.movies).is_file()]
    if not complete:
        raise DataError(f"{folder}: {_EXPECTED}, found {_listing(folder)}{_hint(folder)}")
    if len(complete) > 1:
        names = " and ".join(f"{f.ratings} with {f.movies}" for f in complete)
        raise DataError(f"{folder}: expected the files of one data set, found {names}; keep one of them")
    for name in (complete[0].ratings, complete[0].movies):
        if (folder / name).stat().st_size == 0:
            raise DataError(f"{folder / name}: the file is empty; fetch or make the data set again")
    return complete[0]


def _listing(folder: Path, most: int = 8) -> str:
    names = sorted(entry.name for entry in folder.iterdir())
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more if names else "an empty folder"


def _hint(folder: Path) -> str:
    """Points at a folder below that holds a data set: archives are often unpacked one level too deep."""
    for below in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        if any((below / f.ratings).is_file() for f in FORMATS):
            return f"; {below} looks like a data set"
    return ""
