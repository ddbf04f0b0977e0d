import pytest
from helpers.review_app import HOSTILE_NAMES

from srd_jax.review.server import safe_names


@pytest.mark.parametrize("given", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_a_hostile_name_becomes_a_harmless_one(given):
    name = safe_names.name_of(given)
    stem = safe_names.safe_stem(name)
    assert stem == HOSTILE_NAMES[given]
    assert safe_names.suffix_of(name) in (".png", ".tif", ".tiff")
    assert not set(stem) & set('/\\\0:*?"<>|.')
    assert len(stem.encode()) <= 160
    assert stem.isprintable()


@pytest.mark.parametrize("name", ["a.svg", "a.html", "a.png.exe", "png", "a", "", "a.zip", "a.npy"])
def test_other_suffixes_are_none(name):
    assert safe_names.suffix_of(name) == ""


def test_names_that_differ_in_case_or_in_the_form_of_accents_get_numbers():
    assert safe_names.free_stem("a", ()) == "a"
    assert safe_names.free_stem("a", ["A"]) == "a-2"
    assert safe_names.free_stem("a", ["A", "a-2"]) == "a-3"
    assert safe_names.free_stem("\u00e4", ["a\u0308"]) == "\u00e4-2"
