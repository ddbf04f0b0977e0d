import math

import numpy as np
import pytest
from helpers.crops import ellipse, random_weights, stripes
from scipy import integrate, stats

from srd_jax.imaging.crop import Crop
from srd_jax.measuring.autocorrelation import Peaks, autocorrelation, peaks
from srd_jax.measuring.combination import BELIEF, Combined, combine, posteriors
from srd_jax.measuring.estimator import Estimator
from srd_jax.measuring.measurement import Measurement, Method
from srd_jax.support.errors import InputError

NONE = Peaks(*np.zeros((11, 0)))


def peaks_at(
    period,
    height,
    prominence,
    granum=200.0,
    mean=1.0,
    width=10.0,
    spread=0.02,
    change=0.004,
    faint=0.1,
    dislocations=3.0,
    shortening=0.0,
):
    """Peaks of a granum of a given height, px; the mean period is relative to each peak's own."""
    period = np.array(period)
    found = Peaks(
        period_px=period,
        mean_px=mean * period,
        height=height,
        prominence=prominence,
        layers=granum / period,
        width=width,
        spread=spread,
        change=change,
        faint=faint,
        dislocations=dislocations,
        shortening=shortening,
    )
    return Peaks(*(np.broadcast_to(field, period.shape) for field in found))


def moved(period, mean=1.0, granum=200.0):
    """The middle of a peak's density, from its own period, the mean period and the layers."""
    layers = granum / period
    share = 1 / (1 + math.exp(-BELIEF.mean_odds) * layers**-BELIEF.mean_by_layers)
    own = math.log(period) + BELIEF.ends_shift / layers
    its_mean = math.log(mean * period) + BELIEF.mean_ends_shift / layers
    return (1 - share) * own + share * its_mean


def one_peak(period, height=0.8, prominence=0.9, **others):
    return peaks_at([period], [height], [prominence], **others)


class Says(Method):
    """A network that predicts the same for every crop."""

    batch_size = 2

    def __init__(self, period_px, sd_px):
        self.said = Measurement(period_px, sd_px, None, 2.0, (1, 9, 0, 5))

    def prepare(self, image):
        return image

    def measure(self, prepared, with_attention=False):
        return [self.said for _ in prepared]


def crop(period, shape=(120, 150)):
    return Crop(stripes(0, shape, period) / np.float32(255), ellipse(shape), None, "")


def test_posteriors_are_students_t_times_a_mixture_of_them():
    found = peaks_at(
        [11.0, 22.5],
        [0.4, 0.7],
        [0.5, 0.9],
        granum=90.0,
        mean=np.array([1.03, 0.98]),
        width=(width := np.array([9.0, 4.5])),
        spread=(spread := np.array([0.03, 0.008])),
        change=(change := np.array([0.002, 0.01])),
        faint=(faint := np.array([0.2, 0.05])),
        dislocations=(dislocations := np.array([0, 4])),
        shortening=0.02,
    )
    log_period = np.linspace(2, 4, 50)
    # The second is a multiple of the first, as far as it is near to it, and the first prominent.
    near = stats.norm.pdf(math.log(22.5 / 22), 0, 0.08) / stats.norm.pdf(0, 0, 0.08)
    share = np.array([0.5, 0.9 * math.exp(BELIEF.by_multiple * near * 0.5 / 0.9)])
    layers = np.array([90 / 11, 90 / 22.5])
    middle = [moved(11.0, 1.03, 90.0), moved(22.5, 0.98, 90.0)]
    scale = np.exp(BELIEF.log_scale + BELIEF.by_height * np.array([0.4, 0.7]))
    scale *= np.exp(BELIEF.by_faint * faint) * (1 + dislocations) ** BELIEF.by_dislocations
    scale *= layers**BELIEF.by_layers * width**BELIEF.by_width
    scale *= spread**BELIEF.by_spread * change**BELIEF.by_change
    scale = np.sqrt(scale**2 + (0.02 * math.exp(BELIEF.log_inclined)) ** 2)
    missing = math.exp(BELIEF.log_missing)
    mixture = stats.t.pdf(log_period[:, None], 4, middle, scale) @ share
    # Where no peak shows it, the period is anywhere between 6 and 100 px.
    mixture += missing * stats.uniform.pdf(3, math.log(6), math.log(100 / 6))
    mixture /= share.sum() + missing
    shown = mixture * stats.t.pdf(log_period, 4, math.log(20), 0.1 * math.exp(BELIEF.log_widening))
    odds = math.exp(BELIEF.log_odds + BELIEF.by_prominence * 0.9)
    expected = shown, stats.t.pdf(log_period, 4, math.log(20), 0.1) + odds * shown
    for one, its in zip(posteriors(log_period, 20, 2.0, found, BELIEF), expected, strict=True):
        np.testing.assert_allclose(one, its, rtol=1e-10)


def share_below(case, log_period, *given):
    """The share of a posterior below a log period, by quadrature."""
    part, whole = (
        integrate.quad(
            lambda x: posteriors(np.array([x]), *given)[case][0],
            1.0,
            end,
            points=[x for x in (math.log(17), math.log(20)) if x < end],
            limit=200,
        )[0]
        for end in (log_period, 5.0)
    )
    return part / whole


def test_the_answer_is_a_median_and_most_of_the_posterior_around_it():
    given = 19.0, 1.5, peaks_at([17.0, 20.0], [0.2, 0.6], [0.3, 0.8]), BELIEF
    period, sd = combine(*given)
    assert share_below(0, math.log(period), *given) == pytest.approx(0.5, abs=0.01)
    below, above = (share_below(1, math.log(period + side * 1.7 * sd), *given) for side in (-1, 1))
    assert above - below == pytest.approx(0.9, abs=0.01)


def test_without_peaks_the_network_alone_decides():
    period, sd = combine(20.0, 1.0, NONE, BELIEF)
    assert period == pytest.approx(20, rel=2e-3)
    # The middle 90 % of Student's t, on a logarithmic axis.
    reach = stats.t.ppf(0.95, 4) * 0.05
    assert sd == pytest.approx(20 * math.sinh(reach) / 1.7, rel=0.01)


def test_a_clear_peak_beside_the_network_sharpens_it():
    period, sd = combine(20.0, 2.0, one_peak(21.5), BELIEF)
    assert period == pytest.approx(math.exp(moved(21.5)), rel=0.005)
    assert sd < 1.0
    weak, its_sd = combine(20.0, 2.0, one_peak(21.5, 0.1, 0.05), BELIEF)
    assert 20 < weak < math.exp(moved(21.5))
    assert sd < its_sd
    assert sd < combine(20.0, 2.0, one_peak(21.5, spread=0.08), BELIEF)[1]


def test_among_multiples_alike_the_first_is_the_period():
    multiples = peaks_at([12.0, 24.0, 36.0], [0.8, 0.8, 0.8], [0.9, 0.9, 0.9])
    right, its_sd = combine(12.6, 0.72, multiples, BELIEF)
    doubled, sd = combine(25.2, 3.0, multiples, BELIEF)
    assert right == pytest.approx(12, rel=0.01)
    assert doubled == pytest.approx(12, rel=0.02)
    assert its_sd < 0.4
    assert sd > 5 * its_sd
    # Two that are both sure of it contradict each other.
    assert combine(25.2, 1.2, multiples, BELIEF)[1] > 3


@pytest.mark.parametrize("chosen", [12.0, 24.0])
def test_the_network_chooses_where_half_a_period_is_less_prominent(chosen):
    # As where every second lamella differs, or a profile has a strong second harmonic.
    pair = peaks_at([12.0, 24.0], [0.3, 0.8], [0.3, 0.9])
    period, sd = combine(1.05 * chosen, 0.06 * chosen, pair, BELIEF)
    assert period == pytest.approx(chosen, rel=0.02)
    assert sd < 0.06 * chosen


def test_peaks_of_noise_do_not_make_a_network_certain_that_is_not():
    noise = peaks_at([12.0, 20.5, 31.0], [0.06, 0.08, 0.05], [0.1, 0.12, 0.1])
    assert combine(20.0, 6.0, noise, BELIEF)[1] > 0.8 * combine(20.0, 6.0, NONE, BELIEF)[1]


def test_two_that_contradict_each_other_are_not_certain():
    agreed = combine(20.0, 2.0, one_peak(20.0), BELIEF)[1]
    apart = combine(20.0, 2.0, one_peak(31.0), BELIEF)[1]
    assert apart > 3
    assert apart > 5 * agreed


@pytest.mark.parametrize("period", [9.0, 16.5, 27.0])
def test_stripes_are_measured_though_the_network_is_off(period):
    (found,) = Combined(Says(1.12 * period, 0.12 * period))([crop(period)])
    assert found.period_px == pytest.approx(period, rel=0.02)
    assert found.sd_px < 0.06 * period
    assert (found.scale, found.box, found.quality) == (2.0, (1, 9, 0, 5), None)


def test_a_granum_too_low_for_an_autocorrelation_is_the_networks():
    low = crop(9.0, (11, 60))
    with pytest.raises(InputError):
        peaks(low.image, low.mask, 9.0)
    network = Says(9.0, 0.5)
    assert Combined(network)([low]) == [network.said]


@pytest.mark.parametrize("said", [(np.nan, 1.0), (20.0, np.inf), (np.inf, 1.0), (20.0, 0.0)])
def test_what_is_no_period_stays_none(said):
    network = Says(*said)
    assert Combined(network)([crop(16.0)]) == [network.said]


def test_a_network_without_sd_is_refused():
    with pytest.raises(InputError, match=r"give no sd.*accepted: weights that do"):
        Combined(Says(20.0, None))([crop(16.0)])


def test_neither_order_nor_batches_matter():
    crops = [crop(12.0), crop(20.0, (330, 100)), crop(15.0, (90, 200))]
    answers = [
        [(one.period_px, one.sd_px) for one in Combined(Estimator(random_weights(), size))(given)]
        for size, given in ((1, crops), (2, crops), (3, crops[::-1]))
    ]
    assert answers[0] == answers[1] == answers[2][::-1]


def test_the_first_peak_is_the_autocorrelations_own():
    one = crop(16.5)
    expected = autocorrelation(one.image, one.mask)
    found = peaks(one.image, one.mask, 16.5)
    assert found.period_px[0] == pytest.approx(expected.period_px, rel=0.01)
    assert found.height[0] == pytest.approx(expected.quality, abs=0.05)
    assert found.period_px[1] == pytest.approx(2 * found.period_px[0], rel=0.05)


def test_of_many_layers_the_mean_local_period_counts_more():
    low, high = (
        combine(20.0, 2.0, peaks_at([20.0], [0.8], [0.9], 20.0 * layers, mean=1.05))[0] / 20
        for layers in (2.5, 40)
    )
    assert low < 1.03 < high < 1.06


def test_the_spread_tells_whether_the_parts_of_a_granum_agree():
    shape = (120, 240)
    alike = peaks(stripes(0, shape, 15.0) / np.float32(255), np.ones(shape, bool), 15.0)
    # Stripes of 14 px beside stripes of 16 px.
    halves = [stripes(0, (120, 120), period) for period in (14.0, 16.0)]
    apart = peaks(np.concatenate(halves, axis=1) / np.float32(255), np.ones(shape, bool), 15.0)
    assert alike.spread[0] < 0.01
    # The sd of the logarithms of two periods in equal numbers.
    assert apart.spread[0] == pytest.approx(math.log(16 / 14) / 2, rel=0.25)
    assert apart.period_px[0] == pytest.approx(15, rel=0.02)
    assert apart.mean_px[0] == pytest.approx(2 / (1 / 14 + 1 / 16), rel=0.01)


def test_layers_are_counted_on_the_average_of_the_columns():
    # A tall part, a part of half of its height, and an empty part.
    mask = np.zeros((160, 300), bool)
    mask[:, :100], mask[40:120, 100:200] = True, True
    found = peaks(stripes(0, mask.shape, 16.0) / np.float32(255), mask, 16.0)
    assert found.layers[0] * found.period_px[0] == pytest.approx(120, abs=1)
    assert found.width[0] * found.period_px[0] == pytest.approx(200)


def test_a_fault_does_not_shorten_the_period():
    # The whole stack is one layer lower behind a slope of a fifth of its width.
    rows, columns = np.mgrid[:320, :300]
    shifted = rows - 16 * np.clip((columns - 120) / 60, 0, 1)
    image = (0.5 + np.sin(2 * np.pi * shifted / 16) / 3).astype(np.float32)
    found = peaks(image, np.ones(image.shape, bool), 16.0)
    assert found.period_px[0] == pytest.approx(16, rel=0.002)


def test_tilted_lamellae_are_measured_across_them():
    rows, columns = np.mgrid[:240, :300]
    image = (0.5 + np.sin(2 * np.pi * (rows - 0.2 * columns) / 16) / 3).astype(np.float32)
    found = peaks(image, np.ones(image.shape, bool), 16.0)
    cosine = 1 / math.hypot(1, 0.2)
    assert found.shortening[0] == pytest.approx(1 - cosine, rel=0.1)
    assert found.mean_px[0] == pytest.approx(16 * cosine, rel=0.005)
