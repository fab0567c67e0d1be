"""Kubeflow's cron: six fields, seconds first, as robfig/cron 1.2 reads them in the API server and in the controller."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from modules.errors import ConfigError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

# A date that the calendar holds comes round within eight years, 29 February across 2100 included.
_FAR = timedelta(days=8 * 366)


@dataclass(frozen=True)
class _Field:
    """One field's name, its smallest and largest number, and the words for its numbers, the smallest first."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 6, _DAYS),
)


@dataclass(frozen=True)
class Cron:
    """A checked schedule.

    Attributes:
        text: the six fields.
        fields: the numbers of each field.
        any_day: one of the two day fields is `*`, so that a day must suit both; else either will do.
    """

    text: str
    fields: tuple[frozenset[int], ...]
    any_day: bool

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The times after `moment` (UTC), in order, as far as eight years on."""
        seconds, minutes, hours = (sorted(field) for field in self.fields[:3])
        day = moment.astimezone(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
        end = day + _FAR
        while day < end:
            if self._suits(day):
                times = (day.replace(hour=h, minute=m, second=s) for h in hours for m in minutes for s in seconds)
                yield from (time for time in times if time > moment)
            day += timedelta(days=1)

    def _suits(self, day: datetime) -> bool:
        of_month = day.day in self.fields[3]
        of_week = day.isoweekday() % 7 in self.fields[5]
        both = of_month and of_week
        return day.month in self.fields[4] and (both if self.any_day else of_month or of_week)


def read_cron(text: str) -> Cron:
    """Checks a cron expression; five fields, which Kubeflow would read as seconds to months, get second 0 in front.

    Raises:
        ConfigError: the number of fields, a field, or a date that no year has.
    """
    words = text.split()
    if len(words) == 5:
        words.insert(0, "0")
    if len(words) != 6:
        raise ConfigError(
            "--cron: expected six fields, second minute hour day-of-month month day-of-week, or five without the "
            f'second, got {len(words)} in {text!r}: "0 3 * * *" is every day at 3'
        )
    numbers = tuple(_numbers(field, word, text) for field, word in zip(_FIELDS, words, strict=True))
    cron = Cron(" ".join(words), numbers, any(star in words[3] + words[5] for star in "*?"))
    if next(cron.after(datetime(2024, 1, 1, tzinfo=timezone.utc)), None) is None:
        raise ConfigError(f"--cron: {text!r} names a day that no month has, so it would never run")
    return cron


def _numbers(field: _Field, word: str, text: str) -> frozenset[int]:
    """The numbers of one field: a list of `*`, `7`, `1-5`, `*/15`, `2-10/4` or names."""
    try:
        return frozenset(number for part in word.split(",") for number in _range(field, part))
    except ValueError as error:
        raise ConfigError(
            f"--cron: {text!r}: the {field.name} takes {field.low} to {field.high}, ranges such as "
            f"{field.low}-{field.high} and steps such as */2, got {word!r}: {error}"
        ) from error


def _range(field: _Field, part: str) -> range:
    span, slash, step = part.partition("/")
    if span in ("*", "?"):
        low, high = field.low, field.high
    else:
        first, dash, last = span.partition("-")
        low = _number(field, first)
        # `5/10` runs from 5 on, as `5-59/10` does.
        high = _number(field, last) if dash else field.high if slash else low
    if low > high:
        raise ValueError(f"the range begins at {low} and ends at {high}")
    if slash and (not _is_number(step) or int(step) == 0):
        raise ValueError("a step is a number from 1 on")
    return range(low, high + 1, int(step) if slash else 1)


def _number(field: _Field, word: str) -> int:
    if word.lower() in field.words:
        return field.words.index(word.lower()) + field.low
    if not _is_number(word):
        raise ValueError(f"{word!r} is no number")
    if not field.low <= int(word) <= field.high:
        raise ValueError("Sunday is 0" if field.words is _DAYS and word == "7" else f"{word} is out of range")
    return int(word)


def _is_number(word: str) -> bool:
    """Whether the word is made of the digits 0 to 9, which is what Go's parser reads."""
    return word.isascii() and word.isdecimal()
