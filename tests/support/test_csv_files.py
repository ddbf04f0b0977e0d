import pytest

from srd_jax.support.csv_files import ambiguous, harmless, number, read_table
from srd_jax.support.errors import InputError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("16", 16.0),
        ("16.5", 16.5),
        ("16,5", 16.5),
        (",5", 0.5),
        ("-3.", -3.0),
        ("1.5e1", 15.0),
        ("1e999", float("inf")),
    ],
)
def test_numbers(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "2_2",
        "\uff12\uff12",
        "nan",
        "inf",
        "22 px",
        "1,022.0",
        "1.022,0",
        "0x10",
        "22\0",
        "1 2",
    ],
)
def test_what_is_no_number(text):
    assert number(text) is None


@pytest.mark.parametrize(
    ("cells", "delimiter", "unclear"),
    [
        (["1.298", "16.5"], ",", set()),
        (["1.298"], ",", set()),
        (["1,298", "16,5"], "\t", set()),
        (["1,298"], ";", set()),
        (["0,769"], ",", set()),
        (["1,298"], ",", {"1,298"}),
        (["1,298", "16.5"], ";", {"1,298"}),
        (["1.298", "16,5"], ";", {"1.298"}),
        (["1,298", "1.298"], "\t", {"1,298"}),
    ],
)
def test_a_mark_before_three_digits_is_a_decimal_one_where_the_file_shows_it(
    cells, delimiter, unclear
):
    assert ambiguous(cells, delimiter) == unclear


def test_the_header_is_the_line_with_the_columns(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("made; by hand\n\n# Name|Long Size|\na|1|\n\nb|2|x\n")
    found = read_table(path, [["name", "long_size"]])
    assert found.header == ["name", "long_size", ""]
    assert found.rows == [(4, ["a", "1", ""]), (6, ["b", "2", "x"])]
    assert found.delimiter == "|"
    with pytest.raises(InputError, match="has the columns made; by hand"):
        read_table(path, [["name", "width"]])


def test_no_spreadsheet_takes_a_text_for_a_formula():
    for text in ("=1+1", "+1", "-N", "@x", "\tx", "\rx"):
        assert harmless(text) == f"'{text}"
    for text in ("", "a=1", "wild type", "1 - 2", "'=1"):
        assert harmless(text) == text
