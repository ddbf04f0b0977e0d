import math

import numpy as np
import pytest
from helpers.crops import ellipse, random_weights, stripes
from helpers.lamellae import membranes
from scipy import integrate, stats

from srd_jax.imaging.crop import Crop
from srd_jax.measuring import peaks as peaks_module
from srd_jax.measuring.combination import BELIEF, Combined, combine, posteriors
from srd_jax.measuring.estimator import Estimator
from srd_jax.measuring.measurement import Measurement, Method, of_views
from srd_jax.measuring.peaks import Peaks, peaks
from srd_jax.support.errors import InputError

NONE = Peaks(*np.zeros((len(Peaks._fields), 0)))


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
    partial=0.0,
    uneven=0.0,
):
    """Peaks of a granum of a given height, px; the mean period is relative to each peak's own."""
    period = np.array(period)
    found = Peaks(
        period_px=period,
        mean_px=mean * period,
        height=height,
        prominence=prominence,
        partial=partial,
        layers=granum / period,
        width=width,
        spread=spread,
        change=change,
        faint=faint,
        dislocations=dislocations,
        shortening=shortening,
        uneven=uneven,
        other_px=1.4 * period,
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
        height := np.array([0.4, 0.7]),
        [0.5, 0.9],
        partial=np.array([0.5, 0.0]),
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
    layers = np.array([90 / 11, 90 / 22.5])
    # What can repeat at a shift of one period; how sure a peak is; what the first lacks to a later.
    often = 1 - 1 / layers
    sure = np.minimum(height**2 * (layers - 1), 1)
    lacking = np.array([0.5 / 0.9, 0.0])
    whole = np.exp(BELIEF.by_partial * lacking**2)
    # The second is a multiple of the first, as far as it is near to it, and the first prominent.
    near = stats.norm.pdf(math.log(22.5 / 22), 0, 0.08) / stats.norm.pdf(0, 0, 0.08)
    share = np.array([0.5, 0.9 * math.exp(BELIEF.by_multiple * near * 0.5 / 0.9 * whole[0])])
    share *= whole * sure**BELIEF.by_sure
    middle = [moved(11.0, 1.03, 90.0), moved(22.5, 0.98, 90.0)]
    scale = np.exp(BELIEF.log_scale + BELIEF.by_height * height)
    scale *= np.exp(BELIEF.by_faint * faint) * (1 + dislocations) ** BELIEF.by_dislocations
    scale *= layers**BELIEF.by_layers * width**BELIEF.by_width
    scale *= spread**BELIEF.by_spread * change**BELIEF.by_change
    scale = np.sqrt(scale**2 + (0.02 * math.exp(BELIEF.log_inclined)) ** 2)
    clarity = max(height * whole * often)
    missing = math.exp(BELIEF.log_missing) * (1 - clarity) ** BELIEF.by_clarity
    mixture = stats.t.pdf(log_period[:, None], 4, middle, scale) @ share
    # Where no peak shows it, or the network is all wrong, the period is from 4 to 1000 px.
    anywhere = stats.uniform.pdf(3, math.log(4), math.log(1000 / 4))
    mixture = (mixture + missing * anywhere) / (share.sum() + missing)
    elsewhere = math.exp(BELIEF.log_elsewhere)
    odds = math.exp(BELIEF.log_odds + BELIEF.by_prominence * 0.9)
    for views in ([(20.0, 2.0)], [(20.0, 2.0), (30.0, 6.0)]):
        wide = math.exp(BELIEF.log_widening)
        alone, widened, *multiples = (
            np.mean([stats.t.pdf(log_period, 4, math.log(k * p), f * sd / p) for p, sd in views], 0)
            for k, f in ((1, 1.0), (1, wide), (2, wide), (3, wide), (4, wide))
        )
        # The network may have taken a half, a third or a quarter of the period for it.
        prior = (1 - 2 * elsewhere) * widened + elsewhere * anywhere
        prior += elsewhere * (np.array([0.6, 0.25, 0.15]) @ np.array(multiples))
        shown = prior * mixture
        given = views[0] if len(views) == 1 else zip(*views, strict=True)
        found_ones = posteriors(log_period, *given, found, BELIEF)
        for one, its in zip(found_ones, (shown, alone + odds * shown), strict=True):
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
    assert sd > its_sd
    # A network that is sure of the double contradicts the peaks.
    sure, sd = combine(25.2, 1.2, multiples, BELIEF)
    assert sure == pytest.approx(12, rel=0.02)
    assert sd > 3


@pytest.mark.parametrize("half", [12.0, 12.4])
def test_where_only_a_part_repeats_at_half_of_the_period_the_whole_counts(half):
    # As where every second lamella differs, or a profile has a strong second harmonic.
    pair = peaks_at([half, 24.0], [0.3, 0.8], [0.3, 0.9], partial=[0.5, 0.0])
    period, sd = combine(25.2, 1.44, pair, BELIEF)
    assert period == pytest.approx(24, rel=0.02)
    assert sd < 0.06 * 24
    # A network that says the half doesn't win with a small sd.
    period, sd = combine(12.6, 0.72, pair, BELIEF)
    assert period == pytest.approx(24, rel=0.02) or sd > 0.2 * period


def test_the_network_chooses_where_half_a_period_is_hardly_lower():
    pair = peaks_at([12.0, 24.0], [0.76, 0.8], [0.8, 0.9], partial=[0.04, 0.0])
    period, sd = combine(12.6, 0.72, pair, BELIEF)
    assert period == pytest.approx(12, rel=0.02)
    assert sd < 0.06 * 12


def test_peaks_of_noise_do_not_make_a_network_certain_that_is_not():
    noise = peaks_at([12.0, 20.5, 31.0], [0.06, 0.08, 0.05], [0.1, 0.12, 0.1])
    assert combine(20.0, 6.0, noise, BELIEF)[1] > 0.8 * combine(20.0, 6.0, NONE, BELIEF)[1]


def test_two_that_contradict_each_other_are_not_certain():
    for peak in ((0.4, 0.5), (0.5, 0.5)):
        agreed = combine(20.0, 2.0, one_peak(20.0, *peak), BELIEF)[1]
        apart = combine(20.0, 2.0, one_peak(31.0, *peak), BELIEF)[1]
        assert apart > 3
        assert apart > 5 * agreed


@pytest.mark.parametrize("network", [(20.0, 2.0), (20.0, 0.8), (10.0, 0.4), (90.0, 4.0)])
def test_the_clearest_peak_is_the_period_or_nothing_is_certain(network):
    period, sd = combine(*network, one_peak(31.0, 0.98, 1.5, granum=31.0 * 12), BELIEF)
    assert period == pytest.approx(31, rel=0.02) or sd > 0.2 * period
    assert combine(*network, NONE, BELIEF)[1] < 0.2 * period


def test_the_view_that_a_clear_peak_confirms_decides():
    views = np.array([20.0, 60.0, 160.0]), np.array([0.8, 5.0, 12.0])
    peak = one_peak(57.0, 0.9, 1.2, granum=57.0 * 8)
    period, sd = combine(*views, peak, BELIEF)
    assert period == pytest.approx(57, rel=0.02)
    # The order of the views doesn't matter, and one view is one number.
    backwards = combine(*(one[::-1] for one in views), peak, BELIEF)
    assert backwards == pytest.approx((period, sd), rel=1e-9)
    alone = combine(views[0][:1], views[1][:1], peak, BELIEF)
    assert alone == combine(20.0, 0.8, peak, BELIEF)
    # Without any peak, views that differ are uncertain.
    assert combine(*views, NONE, BELIEF)[1] > 20


@pytest.mark.parametrize("period", [9.0, 16.5, 27.0])
def test_stripes_are_measured_though_the_network_is_off(period):
    (found,) = Combined(Says(1.12 * period, 0.12 * period))([crop(period)])
    assert found.period_px == pytest.approx(period, rel=0.02)
    assert found.sd_px < 0.06 * period
    assert (found.scale, found.box, found.quality) == (2.0, (1, 9, 0, 5), None)


def test_a_granum_too_low_for_an_autocorrelation_is_the_networks():
    low = crop(9.0, (11, 60))
    with pytest.raises(InputError):
        peaks(low.image, low.mask, [9.0])
    network = Says(9.0, 0.5)
    assert Combined(network)([low]) == [network.said]


@pytest.mark.parametrize("share", [1 / 2, 1 / 3, 1 / 4])
@pytest.mark.parametrize(("period", "distance"), [(26.0, 0.4), (44.0, 0.3), (90.0, 0.24)])
def test_a_network_that_is_sure_of_a_part_of_the_period_does_not_win(period, distance, share):
    image = membranes(period, distance)
    for relative_sd in (0.02, 0.06):
        network = Says(share * period, relative_sd * share * period)
        (found,) = Combined(network)([image])
        near = found.period_px == pytest.approx(period, rel=0.02)
        assert near or found.sd_px > 0.2 * found.period_px


def test_the_attention_is_that_of_the_nearest_view():
    views = [Measurement(period, 0.1 * period, None, scale, (0, 9, 0, 5)) for period, scale in
             ((6.0, 3.0), (17.0, 2.0), (50.0, 1.0))]  # fmt: skip
    network = Says(1.0, 1.0)
    network.said = of_views(views)
    (found,) = Combined(network)([crop(16.5)])
    assert found.period_px == pytest.approx(16.5, rel=0.02)
    assert found.scale == 2.0


@pytest.mark.parametrize("axis", [0, 1])
def test_of_two_grana_no_period_is_certain(axis):
    parts = [stripes(seed, (160, 120), period) for seed, period in ((0, 16.0), (1, 24.0))]
    (found,) = Combined(Says(17.0, 1.0))([np.concatenate(parts, axis)])
    assert found.doubts or found.sd_px > 0.125 * found.period_px
    (alone,) = Combined(Says(17.0, 1.0))([parts[0]])
    assert alone.doubts == ()
    assert alone.sd_px < 0.02 * alone.period_px


def test_a_part_that_repeats_at_another_distance_is_doubted():
    def doubts(height, uneven):
        return peaks_module.doubts(20.1, peaks_at([10.0, 20.0], height, 0.5, uneven=uneven))

    # The shift of the other part is 1.4 times the peak's.
    expected = ("a part of the crop repeats at 28.00 px, is it one granum?",)
    assert doubts(0.4, np.array([0.0, 0.6])) == expected
    assert doubts(0.4, np.array([0.6, 0.0])) == ()
    assert doubts(0.9, 0.6) == ()
    hardly = ("hardly anything in the crop repeats at this distance",)
    assert peaks_module.doubts(20.0, NONE) == hardly
    assert doubts(0.15, 0.0) == hardly
    assert peaks_module.doubts(15.0, peaks_at([10.0, 20.0], 0.5, 0.5)) == hardly


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


def test_of_many_layers_the_mean_local_period_counts_more():
    low, high = (
        combine(20.0, 2.0, peaks_at([20.0], [0.8], [0.9], 20.0 * layers, mean=1.05))[0] / 20
        for layers in (2.5, 40)
    )
    assert low < 1.03 < high < 1.06
