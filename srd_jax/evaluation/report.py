"""Writes the report of an evaluation as one self-contained HTML page."""

from collections.abc import Mapping, Sequence

from srd_jax.evaluation import pictures, plots, tables
from srd_jax.evaluation.cases import Case, Shown
from srd_jax.evaluation.summary import Summary
from srd_jax.support import page
from srd_jax.support.page import text

_TERMS = {
    "error": "measured minus true period, over the crops that a method measured; px are those of "
    "the crop unless another unit is named, per cent are of the true period",
    "frame px": "px of the 476-row frame that the network reads: at most the 300 middle rows of a "
    "crop, rescaled",
    "MAE, p95, bias": "mean and 95th percentile of the absolute error, and the mean error",
    "ok, low confidence": "as in the column status of srd predict",
    "doubling, halving": "within 15 % of twice, or of half, the true period",
    "sd": "standard deviation that the method predicts for its own error",
    "1 sd, 1.96 sd": "share of errors within so many predicted sd, with its nominal value",
    "NLL": "mean of log sd + error² / (2 sd²), px of the crop, without the constant ½ log 2π; "
    "beside it that of the one sd for all crops which suits these errors best",
    "layers": "height of the granum (0.8-quantile of its columns) over the true period",
    "contrast": "(light − dark) / (light + dark) of the sinusoid with the true period that fits "
    "best around a pixel; median over the granum",
    "noise": "root mean square of what that sinusoid leaves of the grey values, over its own",
}


def report(
    source: str,
    version: str,
    cases: Sequence[Case],
    shown: Mapping[str, Sequence[Shown]],
    summaries: Sequence[Summary],
) -> str:
    """Renders the page.

    Args:
      source: of the crops, in words.
      version: of the package.
      cases: of all methods.
      shown: worst cases by method.
      summaries: of all methods, see `summary.summarise`.
    """
    methods = [one["method"] for one in summaries]
    with_sd = [one for one in summaries if one["sd"]]
    drawn = {
        "periods": plots.true_against_measured(cases, methods),
        "distribution": plots.distribution(cases, methods),
        "traits": plots.error_by_traits(cases, summaries),
    }
    if with_sd:
        drawn["confidence"] = plots.confidence(cases, with_sd)
    return page.render(
        "evaluation/report.html.jinja",
        source=source,
        version=version,
        crops=summaries[0]["crops"],
        errors=[
            tables.errors(summaries, "all", "All measured crops"),
            tables.errors(summaries, "only_ok", "Only those with status ok"),
            tables.counts(summaries),
        ],
        confidence=[show(with_sd) for show in tables.CONFIDENCE] if with_sd else [],
        traits=tables.by_traits(summaries),
        plots={name: page.data_uri("svg+xml", page.svg(one)) for name, one in drawn.items()},
        worst={name: [_shown(one) for one in some] for name, some in shown.items()},
        colours={"true": pictures.TRUE, "measured": pictures.MEASURED},
        failures=tables.failures(cases),
        terms=_TERMS,
    )


def _shown(one: Shown) -> dict[str, str]:
    case = one.case
    words = f"true {text(case.true_px)} px, measured {text(case.period_px)} px"
    if case.sd_px is not None:
        words += f", sd {text(case.sd_px)} px"
    if case.quality is not None:
        words += f", quality {text(case.quality)}"
    error = f"{case.error_percent:+.1f} %".replace("-", "−")
    return {
        "name": case.name,
        "picture": page.data_uri("jpeg", pictures.picture(one)),
        "text": f"{words}: {error}; {case.status.replace('_', ' ')}",
        "reason": case.reason,
    }
