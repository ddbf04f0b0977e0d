from srd_jax.measuring.measurement import Measurement, Method


class Counting(Method[int]):
    """Measures numbers; each is its own period."""

    batch_size = 2

    def prepare(self, image):
        return int(image)

    def measure(self, prepared, with_attention=False):
        return [Measurement(number, None, None, 1.0, (0, 1, 0, 1)) for number in prepared]


def test_crops_that_cannot_be_prepared_keep_their_reasons_and_places():
    found = Counting().measure_good([3, "is empty", 5, "is blank"])
    assert [one if isinstance(one, str) else one.period_px for one in found] == [
        3,
        "is empty",
        5,
        "is blank",
    ]
    assert Counting().measure_good([]) == []
