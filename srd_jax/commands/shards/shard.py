"""One of n parts of the files of a command."""

import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Sequence

from srd_jax.support.errors import InputError


@dataclasses.dataclass(frozen=True)
class Shard:
    """Every count-th file, from the number-th on, in the order of the whole command.

    Neighbours in a folder are often alike in size, so parts take about the same time.

    Attributes:
      number: of the part, from 1 on.
      count: of all parts.
    """

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, paths: Sequence[pathlib.Path]) -> list[pathlib.Path]:
        """Returns the files of this part.

        Raises:
          InputError: there are fewer files than parts.
        """
        if len(paths) < self.count:
            raise InputError(
                f"--shard {self}: there are {len(paths)} files; accepted are at most as many parts"
            )
        return list(paths[self.number - 1 :: self.count])


def of_list(paths: Sequence[pathlib.Path]) -> str:
    """Returns the digest of the names of all files of a command, in order."""
    made = hashlib.sha256()
    for path in paths:
        made.update(os.fsencode(path) + b"\0")
    return made.hexdigest()
