"""The side features of every movie, looked up from the catalogue by index."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modules.catalogue import Catalogue

FIRST_YEAR = 1900
YEARS_A_BUCKET = 4


@dataclass(frozen=True)
class MovieFeatures:
    """Side features in the id space; row 0, padding, has none.

    Attributes:
        genres: float32 `[movies + 1, genres]`, a movie's genres share a weight of 1.
        year_bucket: int32 `[movies + 1]`, 0 where the year isn't known.
        year_buckets: how many buckets there are.
    """

    genres: npt.NDArray[np.float32]
    year_bucket: npt.NDArray[np.int32]
    year_buckets: int

    @classmethod
    def of(cls, catalogue: Catalogue) -> "MovieFeatures":
        """Reads the features off the catalogue."""
        column = {name: number for number, name in enumerate(catalogue.genre_names)}
        genres = np.zeros((len(catalogue) + 1, len(column)), np.float32)
        for row, names in enumerate(catalogue.genres, start=1):
            for name in names:
                genres[row, column[name]] = 1 / len(names)
        years = np.concatenate([[0], catalogue.years])
        bucket = 1 + (np.maximum(years, FIRST_YEAR) - FIRST_YEAR) // YEARS_A_BUCKET
        year_bucket = np.where(years > 0, bucket, 0).astype(np.int32)
        return cls(genres, year_bucket, int(year_bucket.max()) + 1)

    @property
    def rows(self) -> int:
        """Size of the id space: every movie, and padding."""
        return len(self.year_bucket)
