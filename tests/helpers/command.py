"""The command line in tests: called in this process, its CSV files read."""

import csv
import pathlib

import numpy as np

from srd_jax.cli import main


def run(*arguments):
    return main([str(argument) for argument in arguments])


def read(path):
    with pathlib.Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def numbers(rows, *columns):
    return np.array([[float(row[column]) for column in columns] for row in rows])


def refused(capsys, *arguments):
    """Runs a wrong command, and returns its line of error."""
    capsys.readouterr()
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err.removeprefix("error: ").rstrip()
