import io

import pytest
import rich.console
from rich.text import Text

from srd_jax.support.terminal import print_line, printable, track


@pytest.mark.parametrize(
    ("encoding", "shown"), [("utf-8", "µ ≤ ?"), ("latin-1", "µ ? ?"), ("ascii", "? ? ?")]
)
def test_characters_that_an_encoding_lacks_become_question_marks(encoding, shown):
    assert printable("µ ≤ \udcb5", encoding) == shown


def test_a_line_is_not_broken():
    bytes_ = io.BytesIO()
    file = io.TextIOWrapper(bytes_, encoding="ascii", newline="\n")
    print_line(rich.console.Console(file=file, width=10), Text("µ " + "word " * 20 + "[end]"))
    file.flush()
    assert bytes_.getvalue() == b"? " + b"word " * 20 + b"[end]\n"


def test_no_bar_is_drawn_where_stderr_is_no_terminal(capsys):
    assert list(track(iter("abc"), "drawing", 3)) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_the_bar_and_the_time_left(monkeypatch, capsys):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    assert list(track("abc", "drawing")) == ["a", "b", "c"]
    out, err = capsys.readouterr()
    assert out == ""
    assert "drawing" in err
    assert "100%" in err
    assert "0:00:00" in err
