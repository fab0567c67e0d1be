"""Reads what a data set says about its users: gender, age and occupation."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from modules.data.formats import DAT, Format
from modules.data.integers import INT64_END, integer_of
from modules.data.problems import Problems, Reason

# The codes of users.dat, in their order; MovieLens 1M's README names them.
OCCUPATIONS = (
    *("other", "academic/educator", "artist", "clerical/admin", "college/grad student", "customer service"),
    *("doctor/health care", "executive/managerial", "farmer", "homemaker", "K-12 student", "lawyer", "programmer"),
    *("retired", "sales/marketing", "scientist", "self-employed", "technician/engineer", "tradesman/craftsman"),
    *("unemployed", "writer"),
)
_OCCUPATION_OF_CODE = {str(code): name for code, name in enumerate(OCCUPATIONS)}
USER_COLUMNS = ("gender", "age", "occupation")
OLDEST = 120
_SCHEMA = {"user_id": pl.Int64, "gender": pl.String, "age": pl.Int64, "occupation": pl.String}
_GENDERS = {"F", "M"}
_FIELDS = 5

User = tuple[int, str, int, str]


def no_users() -> pl.DataFrame:
    """The users of a data set that says nothing about them."""
    return pl.DataFrame(schema=_SCHEMA)


def read_users(path: Path, layout: Format, problems: Problems) -> pl.DataFrame:
    """Reads every user of `path`; rows that can't be used are counted in `problems`.

    Returns:
        Columns `user_id` i64, `gender` ("F" or "M"), `age` i64 (years; in users.dat the first year of a range) and
        `occupation`, in the file's order; each user once.

    Raises:
        DataError: more rows are unusable than the tolerance forgives.
    """
    users: dict[int, User] = {}
    for line, text in _lines(path):
        problems.looked_at(path.name, 1)
        user = _user(path.name, line, text, layout, problems)
        if user is None:
            continue
        if user[0] in users:
            problems.add(Reason.REPEATED_USER, path.name, [(line, str(user[0]))])
            continue
        users[user[0]] = user
    problems.settle(path.name, complete=True)
    return pl.DataFrame(list(users.values()), schema=_SCHEMA, orient="row")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    lines = ((number, line.rstrip("\r")) for number, line in enumerate(text.split("\n"), start=1))
    yield from ((number, line) for number, line in lines if line.strip())


def _user(file: str, line: int, text: str, layout: Format, problems: Problems) -> User | None:
    """(id, gender, age, occupation), or None with the reason counted."""
    fields = text.split("::" if layout is DAT else "|")
    if "\ufffd" in text or len(fields) != _FIELDS:
        reason = Reason.BROKEN_ENCODING if "\ufffd" in text else Reason.WRONG_FIELD_COUNT
        problems.add(reason, file, [(line, text)])
        return None
    if layout is DAT:
        user_id, gender, age, occupation, _ = fields
        name = _OCCUPATION_OF_CODE.get(occupation, "")
    else:
        user_id, age, gender, occupation, _ = fields
        name = " ".join(occupation.split())
    found = _wrong(user_id, gender, age)
    if found is None and not name:
        found = Reason.UNKNOWN_OCCUPATION, occupation
    if found is not None:
        reason, value = found
        problems.add(reason, file, [(line, value)])
        return None
    return int(user_id), gender, int(age), name


def _wrong(user_id: str, gender: str, age: str) -> tuple[Reason, str] | None:
    """The first field that can't be used, and why."""
    number, years = integer_of(user_id), integer_of(age)
    if number is None or years is None:
        return Reason.NOT_A_NUMBER, user_id if number is None else age
    if not -INT64_END <= number < INT64_END:
        return Reason.ID_BEYOND_INT64, user_id
    if not 1 <= years <= OLDEST:
        return Reason.AGE_OUT_OF_RANGE, age
    if gender not in _GENDERS:
        return Reason.UNKNOWN_GENDER, gender
    return None
