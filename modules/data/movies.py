"""Reads the movies of a data set into a catalogue."""

import re
from collections.abc import Iterator
from pathlib import Path

from modules.catalogue import Catalogue
from modules.data.csv_lines import columns_of, split_line
from modules.data.formats import CSV, DAT, Format
from modules.data.integers import INT64_END, integer_of
from modules.data.problems import Problems, Reason
from modules.errors import DataError

# The flags at the end of a line of u.item, in their order; the first one stands for "no genre is known".
ML_100K_GENRES = (
    *(
        "unknown",
        "Action",
        "Adventure",
        "Animation",
        "Children's",
        "Comedy",
        "Crime",
        "Documentary",
        "Drama",
        "Fantasy",
    ),
    *("Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
_ML_100K_FIELDS = 5 + len(ML_100K_GENRES)
_NO_GENRES = {"", "(no genres listed)"}
_YEAR = re.compile(r"\((\d{4})\)")
_BROKEN = re.compile("[\ufffd\x80-\x9f]")

# (line, fields): id, title and genres as texts, or what stands there when the field count is wrong.
Row = tuple[int, list[str]]


def read_catalogue(path: Path, layout: Format, problems: Problems) -> Catalogue:
    """Reads every movie of `path`; rows that can't be used are counted in `problems`.

    Raises:
        DataError: more rows are unusable than the tolerance forgives, a column is missing, or no movie is left.
    """
    text = decode(path.read_bytes())
    rows: dict[int, tuple[int, str, tuple[str, ...], int]] = {}
    for line, fields in _rows(path, layout, text):
        problems.looked_at(path.name, 1)
        movie = _movie(path.name, line, fields, problems)
        if movie is None:
            continue
        if movie[0] in rows:
            problems.add(Reason.REPEATED_MOVIE, path.name, [(line, str(movie[0]))])
            continue
        rows[movie[0]] = movie
        if movie[3] == 0:
            problems.add(Reason.TITLE_WITHOUT_YEAR, path.name, [(line, movie[1])])
    problems.settle(path.name, complete=True)
    if not rows:
        found = (
            problems.complaint(path.name) if problems.rows[path.name] else "found none; fetch or make the data again"
        )
        raise DataError(f"{path}: expected at least one movie that can be used: {found}")
    return Catalogue.from_rows(list(rows.values()))


def decode(content: bytes) -> str:
    """Decodes UTF-8 or latin-1, whichever most lines beyond ASCII speak for; broken bytes of UTF-8 become U+FFFD."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        beyond_ascii = [line for line in content.split(b"\n") if not line.isascii()]
    as_utf8 = sum("\ufffd" not in line.decode(errors="replace") for line in beyond_ascii)
    if as_utf8 * 2 < len(beyond_ascii):
        return content.decode("latin-1")
    return content.decode("utf-8-sig", errors="replace")


def year_of(title: str) -> int:
    """The first four digits in parentheses, 0 if there are none."""
    match = _YEAR.search(title)
    return int(match.group(1)) if match else 0


def _rows(path: Path, layout: Format, text: str) -> Iterator[Row]:
    lines = ((number, line.rstrip("\r")) for number, line in enumerate(text.split("\n"), start=1))
    filled = ((number, line) for number, line in lines if line.strip())
    if layout is CSV:
        yield from _csv_rows(path, filled)
        return
    for number, line in filled:
        yield number, _dat_fields(line) if layout is DAT else _item_fields(line)


def _csv_rows(path: Path, lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
    header = split_line(next(lines, (1, ""))[1])
    wanted = columns_of(path, header, ("movieId", "title", "genres"))
    for number, line in lines:
        fields = split_line(line)
        yield number, [fields[i] for i in wanted] if len(fields) == len(header) else [line]


def _dat_fields(line: str) -> list[str]:
    """Splits at the first and the last `::`, because a title may hold colons itself."""
    movie_id, _, rest = line.partition("::")
    title, separator, genres = rest.rpartition("::")
    return [movie_id, title, genres] if separator else [line]


def _item_fields(line: str) -> list[str]:
    fields = line.split("|")
    flags = fields[5:]
    if len(fields) != _ML_100K_FIELDS or not set(flags) <= {"0", "1"}:
        return [line]
    genres = [name for name, flag in zip(ML_100K_GENRES[1:], flags[1:], strict=True) if flag == "1"]
    return [fields[0], fields[1], "|".join(genres)]


def _movie(file: str, line: int, fields: list[str], problems: Problems) -> tuple[int, str, tuple[str, ...], int] | None:
    """(id, title, genres, year), or None with the reason counted."""
    reason = value = None
    if any(_BROKEN.search(field) for field in fields):
        reason, value = Reason.BROKEN_ENCODING, "|".join(fields)
    elif len(fields) != 3:
        reason, value = Reason.WRONG_FIELD_COUNT, fields[0]
    elif (number := integer_of(fields[0])) is None:
        reason, value = Reason.NOT_A_NUMBER, fields[0]
    elif number >= INT64_END:
        reason, value = Reason.ID_BEYOND_INT64, fields[0]
    elif number <= 0:
        reason, value = Reason.ID_NOT_POSITIVE, fields[0]
    if reason is not None and value is not None:
        problems.add(reason, file, [(line, value)])
        return None
    movie_id, title, genres = fields
    # Splitting at white space also takes tabs and line breaks out, which the catalogue's file can't hold.
    names = (" ".join(name.split()) for name in genres.split("|"))
    return int(movie_id), " ".join(title.split()), tuple(n for n in names if n not in _NO_GENRES), year_of(title)
