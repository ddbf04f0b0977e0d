import pytest

from srd_jax.analysis.tiles import spans


@pytest.mark.parametrize("length", [1, 63, 64, 65, 100, 128, 129, 1000])
def test_kept_parts_follow_one_another_and_keep_their_margins(length):
    found = spans(length, tile=64, margin=16, grid=8)
    kept = [n for span in found for n in range(span.keep, span.end)]
    assert kept == list(range(length))
    for number, span in enumerate(found):
        assert span.first % 8 == 0
        assert span.keep - span.first >= 0
        assert span.end <= span.first + 64
        # Only the ends of the axis have no margin.
        assert number == 0 or span.keep - span.first >= 16
        assert number == len(found) - 1 or span.first + 64 - span.end >= 16


def test_the_last_tile_reaches_less_than_a_grid_beyond_the_end():
    assert spans(129, tile=64, margin=16, grid=8)[-1].first + 64 == 136
    # A short axis has one tile.
    assert spans(30, tile=64, margin=16, grid=8) == [(0, 0, 30)]
