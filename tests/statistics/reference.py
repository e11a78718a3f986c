"""Vectors reckoned with scipy and loops: what the shipped SQL has to agree with.

Written from the definitions, not from the SQL, and in the form of the larger collection
that the same tests read where it is at hand. Data are drawn with fixed seeds; the edges
(nothing, everything, ties, an edge met exactly) are written out.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from scipy import optimize, stats

EDGES = {"002": 0.002, "005": 0.005, "010": 0.010}
BANDS = ("acceptable", "investigate", "critical")
PRIOR_CV2 = 0.09
"""Squared variation of ordinary campaigns, and (its square) how sure that is."""

# Cases and persons exposed, and others: one stratum without a case.
STRATA = [(8, 900, 30, 5000), (25, 4000, 6, 1500), (0, 120, 2, 800), (3, 60, 9, 400)]
ADMISSIONS = [
    *((512, 825, 89, 108), (353, 560, 17, 25), (120, 325, 202, 593)),
    *((138, 417, 131, 375), (53, 191, 94, 393), (22, 373, 24, 341)),
]
"""Berkeley 1973 by department, men and women (Bickel and others, Science 187:398)."""

# Weeks in remission, and whether it ended (Freireich and others 1963, 6-MP arm).
REMISSIONS = [
    *((6, 1), (6, 1), (6, 1), (6, 0), (7, 1), (9, 0), (10, 1), (10, 0), (11, 0)),
    *((13, 1), (16, 1), (17, 0), (19, 0), (20, 0), (22, 1), (23, 1), (25, 0)),
    *((32, 0), (32, 0), (34, 0), (35, 0)),
]

Row = dict[str, Any]


def write_vectors(folder: Path) -> None:
    """Every file of vectors, below a folder."""
    tables = {
        "rate_interval": list(_rate_intervals()),
        "band_boundary": list(_band_boundaries()),
        "bh": _false_discoveries(),
        "cusum_ewma": list(_drifts()),
        "laney": list(_laney()),
        "decay_conversion": list(_decays()),
        "reconciliation": list(_reconciliations()),
    }
    tables["eb_history"], tables["eb_expected"] = _shrinkages()
    tables["spike_input"], tables["spike_expected"] = _spikes()
    tables["trend_input"], tables["trend_expected"] = _trends()
    tables["shape_input"], tables["shape_expected"] = _shapes()
    tables["survival_input"], tables["survival_expected"] = _survivals()
    tables["left_truncated_input"], tables["left_truncated_expected"] = _late_entries()
    counts, observed, expected = _arrivals()
    tables["maturation_counts"] = counts
    tables["maturation_observed"] = observed
    tables["maturation_expected"] = expected
    tables["mh_input"], ratios = _stratified(STRATA)
    tables["mh_ucb_admissions_input"], admissions = _stratified(ADMISSIONS)
    square = stratified_chi_square(ADMISSIONS)
    tables["mh_ucb_admissions_expected"] = [
        {name: admissions[name] for name in ("or_mh", "or_lo", "or_hi")}
        | {"chisq": square, "p": stats.chi2.sf(square, 1)}
    ]
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    written = json.dumps(ratios)
    (folder / "mh_expected.json").write_text(written, encoding="utf-8")


def observed_band(x: int, n: int) -> str:
    """Edges in whole counts: 0.2 and 0.5 are acceptable, 1 is to investigate."""
    if 1000 * x < 2 * n:
        return "healthy"
    if 1000 * x <= 5 * n:
        return "acceptable"
    return "investigate" if 100 * x <= n else "critical"


def _rate_intervals() -> Iterable[Row]:
    # Newcombe 1998 (Statistics in Medicine 17:857): 0 of 20 and 1 of 29.
    cases = [(0, 20), (1, 29), (0, 1), (1, 1), (2, 2), (1, 50), (3, 150), (4, 800)]
    for x, n in [
        *cases,
        (29, 2000),
        (10, 2000),
        (63, 10000),
        (62, 10000),
        (700, 90000),
    ]:
        row: Row = {"x": x, "n": n, "rate": x / n}
        for name, method in {"wilson": "wilson", "cp": "exact"}.items():
            interval = stats.binomtest(x, n).proportion_ci(0.95, method)
            row |= {f"{name}_lo": interval.low, f"{name}_hi": interval.high}
        posterior = stats.beta(x + 0.5, n - x + 0.5)
        row |= {
            "jeffreys_lo": posterior.ppf(0.025),
            "jeffreys_hi": posterior.ppf(0.975),
        }
        confirmed = "none"
        for (name, edge), band in zip(EDGES.items(), BANDS, strict=True):
            row[f"p_ge_{name}"] = stats.binom.sf(x - 1, n, edge)
            row[f"jeff_p_gt_{name}"] = posterior.sf(edge)
            confirmed = band if row[f"p_ge_{name}"] < 0.05 else confirmed
        row |= {"observed_band": observed_band(x, n), "confirmed_band": confirmed}
        yield row


def _band_boundaries() -> Iterable[Row]:
    for n in (1000, 3000, 9800, 1_000_000_000):
        edges = (n // 1000, n // 500, n // 200, n // 100)
        for x in sorted(
            {0, n, *(edge + step for edge in edges for step in (-1, 0, 1))}
        ):
            yield {
                "unsubscribes": x,
                "delivered": n,
                "rate_pct": 100 * x / n,
                "band": observed_band(x, n),
                "complaint_red_flag_if_same_counts": 1000 * x > n,
            }
    yield {"unsubscribes": 0, "delivered": 0}


def _false_discoveries() -> list[Row]:
    p = np.round(np.random.default_rng(5).uniform(size=30) ** 2, 6)
    p[7] = p[8] = p[3]
    q = stats.false_discovery_control(p)
    return [
        {"id": number, "p": p[number], "q_bh": q[number]} for number in range(len(p))
    ]


def _drifts() -> Iterable[Row]:
    cusum = average = 0.0
    for number, z in enumerate(np.random.default_rng(7).normal(0.4, 1, 40).round(4)):
        cusum = max(0.0, cusum + z - 0.5)
        average = 0.2 * z + 0.8 * average
        yield {"i": number, "z": z, "cusum_k05": cusum, "ewma_l02": average}


def _laney() -> Iterable[Row]:
    draw = np.random.default_rng(11)
    n = draw.integers(2000, 90000, 20)
    x = draw.binomial(n, 0.003 * np.exp(draw.normal(0, 0.3, 20)))
    pbar = x.sum() / n.sum()
    sigma = np.sqrt(pbar * (1 - pbar) / n)
    z = (x / n - pbar) / sigma
    sigma_z = np.abs(np.diff(z)).mean() / 1.128
    for number in range(20):
        yield {
            "series": "own",
            "i": number,
            "x": x[number],
            "n": n[number],
            "pbar": pbar,
            "z": z[number],
            "sigma_z": sigma_z,
            "p_lcl": max(0, pbar - 3 * sigma[number]),
            "p_ucl": pbar + 3 * sigma[number],
            "laney_lcl": max(0, pbar - 3 * sigma[number] * sigma_z),
            "laney_ucl": pbar + 3 * sigma[number] * sigma_z,
        }


def _decays() -> Iterable[Row]:
    for monthly in (0.002, 0.0125, 0.04, 0.25):
        # The half-life by its definition, the root of what is left.
        half = optimize.brentq(
            lambda t, m=monthly: (1 - m) ** t - 0.5, 1e-6, 1e6, xtol=1e-11
        )
        yield {
            "monthly_prob": monthly,
            "annual_compound": 1 - np.prod(np.full(12, 1 - monthly)),
            "monthly_hazard": np.log(2) / half,
            "half_life_months": half,
        }


def _reconciliations() -> Iterable[Row]:
    sound: Row = {
        "sent": 5000, "delivered": 4900, "bounced": 80, "dropped": 15, "pending": 5,
        "unique_opens": 900, "unique_clicks": 120, "unsub_unique": 12, "complaints": 2,
        "expected": "ok",
    }  # fmt: skip
    yield sound
    yield sound | {"pending": 4, "expected": "identity_violation"}
    yield sound | {"sent": 4899, "expected": "identity_violation"}
    yield sound | {"unique_opens": 4901, "expected": "unique_opens_gt_delivered"}
    nothing = {"delivered": 0, "bounced": 4980, "unique_opens": 0, "unique_clicks": 0}
    yield sound | nothing | {"expected": "undefined_rate_with_events"}
    yield sound | {"delivered": None, "expected": "unknown_denominator"}


def _moments(x: np.ndarray, n: np.ndarray) -> tuple[float, float, float]:
    """Pooled rate, its squared variation between campaigns as seen, and shrunken."""
    k = len(x)
    rate = (x.sum() + 0.5) / (n.sum() + 1)
    chi_square = ((x - n * rate) ** 2 / (n * rate * (1 - rate))).sum()
    rho = (chi_square - (k - 1)) / (n.sum() - (n**2).sum() / n.sum() - (k - 1))
    raw = rho * (1 - rate) / rate
    variance = 2 / (k - 1) * (PRIOR_CV2 + 1 / (n.mean() * rate)) ** 2
    weight = PRIOR_CV2**2 / (PRIOR_CV2**2 + variance)
    return rate, raw, max(0.01, weight * raw + (1 - weight) * PRIOR_CV2)


def _shrinkages() -> tuple[list[Row], list[Row]]:
    draw = np.random.default_rng(13)
    history, expected = [], []
    # Variation that ordinary noise explains, and far more of it.
    for sender, k, variation in (("calm", 3, 0.1), ("even", 9, 0.3), ("wild", 20, 1.2)):
        n = draw.integers(500, 40000, k).astype(float)
        x = draw.poisson(n * 0.002 * np.exp(draw.normal(0, variation, k))).astype(float)
        history += [
            {"sender_id": sender, "campaign_id": i, "x": int(x[i]), "n": int(n[i])}
            for i in range(k)
        ]
        rate, raw, noise = _moments(x, n)
        shrinkage = max(0.5, raw)
        alpha, strength = (1 - rate) / shrinkage, (1 - rate) / (rate * shrinkage)
        for successes, trials in ((0, 90), (4, 1200), (300, 70000)):
            posterior = stats.beta(
                alpha + successes, strength - alpha + trials - successes
            )
            expected.append(
                {
                    "sender_id": sender,
                    "x": successes,
                    "n": trials,
                    "k": k,
                    "m": rate,
                    "cv2_raw": raw,
                    "cv2_noise": noise,
                    "cv2_shrink": shrinkage,
                    "strength": strength,
                    "alpha": alpha,
                    "beta": strength - alpha,
                    "shrunk_rate": posterior.mean(),
                    "post_lo95": posterior.ppf(0.025),
                    "post_hi95": posterior.ppf(0.975),
                }
                | {
                    f"post_gt_{name}": posterior.sf(edge)
                    for name, edge in EDGES.items()
                }
            )
    return history, expected


def _spikes() -> tuple[list[Row], list[Row]]:
    draw = np.random.default_rng(17)
    counts, expected = [], []
    # History short, of zeros, with a past spike, full.
    for stream, (k, rate, past) in enumerate(
        [(6, 0.002, None), (8, 0.00005, None), (14, 0.003, 9), (26, 0.004, 20)]
    ):
        n = draw.integers(1500, 60000, k + 1).astype(float)
        x = draw.poisson(n * rate * np.exp(draw.normal(0, 0.25, k + 1))).astype(float)
        x[-1] = np.ceil(2.5 * n[-1] * rate)
        if past is not None:
            x[past] *= 6
        for number in range(k + 1):
            row = {"stream_id": stream, "i": number, "x": int(x[number])}
            counts.append(row | {"n": int(n[number])})
        logs = np.log((x[:-1] + 0.5) / (n[:-1] + 1))
        usual = np.median(logs)
        width = np.sqrt(PRIOR_CV2 + 1 / (n[:-1] * np.exp(usual) + 0.5))
        kept = (logs - usual) / width < 2.5
        kept_x, kept_n = x[:-1][kept], n[:-1][kept]
        m, _, cv2 = _moments(kept_x, kept_n)
        predictive = (
            cv2 + 1 / (kept_x.sum() + 0.5) + cv2 * (kept_n**2).sum() / kept_n.sum() ** 2
        )
        mean, r = n[-1] * m, 1 / predictive

        def stabilised(count: float, r: float = r) -> float:
            return float(np.arcsinh(np.sqrt((count + 0.375) / (r - 0.75))))

        z = 2 * np.sqrt(r - 0.5) * (stabilised(x[-1] - 0.5) - stabilised(mean))
        tail = stats.nbinom.sf(x[-1] - 1, r, r / (r + mean))
        row = {"stream_id": stream, "i": k, "p_tail": tail, "z_anscombe": z}
        expected.append(row)
    return counts, expected


def _mann_kendall(y: Sequence[float]) -> tuple[float, float]:
    """Its z with the correction for ties, and without."""
    n = len(y)
    score = sum(np.sign(later - earlier) for earlier, later in combinations(y, 2))
    _, ties = np.unique(y, return_counts=True)
    whole = n * (n - 1) * (2 * n + 5)
    tied = (ties * (ties - 1) * (2 * ties + 5)).sum()
    moved = score - np.sign(score)
    return moved / np.sqrt((whole - tied) / 18), moved / np.sqrt(whole / 18)


def _trends() -> tuple[list[Row], list[Row]]:
    draw = np.random.default_rng(19)
    points, expected = [], []
    for stream, (n, slope, digits) in enumerate(
        [(8, 0.0, 1), (8, 0.3, 6), (20, -0.1, 1), (26, 0.05, 3)]
    ):
        y = (slope * np.arange(n) + draw.normal(0, 0.5, n)).round(digits)
        points += [{"stream_id": stream, "i": i, "y": y[i]} for i in range(n)]
        z, _ = _mann_kendall(list(y))
        expected.append(
            {
                "stream_id": stream,
                "z": z,
                "p_one_sided": stats.norm.sf(z),
                "theil_sen": stats.theilslopes(y).slope,
            }
        )
    return points, expected


def _gains(x: np.ndarray, n: np.ndarray, gap: int | None) -> dict[str, float]:
    """By how much each upward shape lowers the chi-square of the log rates."""
    k = len(x)
    place = np.arange(k)
    pool = (x.sum() + 0.5) / (n.sum() + 1)
    y = np.log((x + 0.5) / (n + 0.5 / pool))
    noise = 1 / (np.median((x + 0.5) / (n + 1)) * n + 0.5)
    step = 1.4826 * np.median(np.abs(np.diff(y)))
    raw = max(0.0, step**2 / 2 - noise.mean())
    between = max(0.01, (k - 1) / (k + 7) * raw + 8 / (k + 7) * PRIOR_CV2)
    weight = 1 / (noise + between)

    def chi_square(*regressors: np.ndarray) -> tuple[float, float]:
        design = np.column_stack([np.ones(k), *regressors]) * np.sqrt(weight)[:, None]
        target = y * np.sqrt(weight)
        found, *_ = np.linalg.lstsq(design, target, rcond=None)
        return float(((target - design @ found) ** 2).sum()), float(found[-1])

    flat, _ = chi_square()
    shapes = {
        "spike": [place == at for at in range(2, k)],
        "shift": [place >= at for at in range(3, k - 2)],
        "climb": [np.maximum(0, place - at) for at in range(max(1, k - 5))],
        "postgap": []
        if gap is None
        else [np.where(place >= gap, 0.4 ** np.maximum(place - gap, 0), 0)],
    }
    fits = {
        shape: [chi_square(regressor * 1.0) for regressor in regressors]
        for shape, regressors in shapes.items()
    }
    return {
        shape: max([0.0, *(flat - left for left, slope in found if slope > 0)])
        for shape, found in fits.items()
    }


def _shapes() -> tuple[list[Row], list[Row]]:
    draw = np.random.default_rng(23)
    counts, expected = [], []
    for stream, (k, truth) in enumerate(
        [
            *((8, "stable"), (9, "spike"), (12, "shift"), (20, "climb")),
            *((16, "postgap"), (26, "climb")),
        ]
    ):
        gap = 9 if truth == "postgap" else None
        place = np.arange(k)
        factor = {
            "stable": np.ones(k),
            "spike": np.where(place == 5, 4.0, 1.0),
            "shift": np.where(place >= 6, 2.0, 1.0),
            "climb": 1.1**place,
            "postgap": 1 + 2 * np.where(place >= 9, 0.4 ** np.maximum(place - 9, 0), 0),
        }[truth]
        n = draw.integers(3000, 50000, k).astype(float)
        noise = np.exp(draw.normal(0, 0.2, k))
        x = draw.poisson(n * 0.002 * factor * noise).astype(float)
        for number in range(k):
            row = {"stream_id": stream, "i": number, "x": int(x[number])}
            counts.append(row | {"n": int(n[number]), "gap_flag": number == gap})
        gains = {f"gain_{shape}": gain for shape, gain in _gains(x, n, gap).items()}
        pool = (x.sum() + 0.5) / (n.sum() + 1)
        _, z = _mann_kendall(list(np.log((x + 0.5) / (n + 0.5 / pool))))
        row = {"stream_id": stream, "truth": truth, **gains}
        expected.append(row | {"mk_z_no_tie_correction": z})
    return counts, expected


def _arrivals() -> tuple[list[Row], list[Row], list[Row]]:
    draw = np.random.default_rng(29)
    last = 14
    counts, observed = [], []
    table = np.zeros((24, last + 1), dtype=int)
    seen = np.minimum(last, np.arange(24)[::-1] + 3)
    for campaign in range(24):
        for lag in np.minimum(draw.exponential(4, 90).astype(int), last):
            table[campaign, lag] += lag <= seen[campaign]
        observed.append({"campaign_id": campaign, "max_lag": int(seen[campaign])})
        counts += [
            {"campaign_id": campaign, "lag_day": lag, "cnt": int(table[campaign, lag])}
            for lag in range(last + 1)
            if table[campaign, lag]
        ]
    # Chain ladder: how much later cells add to what had arrived, campaign by campaign.
    share, shares = 1.0, [1.0]
    for lag in range(last, 0, -1):
        told = seen >= lag
        share *= table[told, :lag].sum() / table[told, : lag + 1].sum()
        shares.append(share)
    expected = [
        {"lag_day": lag, "share_arrived": shares[last - lag]} for lag in range(last + 1)
    ]
    return counts, observed, expected


def survival(
    entry: np.ndarray, age: np.ndarray, cause: np.ndarray
) -> list[dict[str, float]]:
    """Kaplan-Meier, Greenwood and Aalen-Johansen, person by person.

    Cause 0 is still there. At an age are at risk who entered before it and did not go
    before it.
    """
    rows, left, variance = [], 1.0, 0.0
    incidence = dict.fromkeys((1, 2, 3), 0.0)
    for now in sorted(set(age)):
        risk = int(((entry < now) & (age >= now)).sum())
        gone = (entry < now) & (age == now) & (cause > 0)
        exits = int(gone.sum())
        if not risk:
            continue
        for number in incidence:
            incidence[number] += left * int((gone & (cause == number)).sum()) / risk
        left *= 1 - exits / risk
        variance += exits / (risk * (risk - exits)) if exits < risk else 0.0
        rows.append(
            {"t": int(now), "n_risk": risk, "n_event": exits, "surv": left}
            | {"greenwood_se": left * variance**0.5}
            | {f"cif{number}": share for number, share in incidence.items()}
        )
    return rows


def _survivals() -> tuple[list[Row], list[Row]]:
    given, expected = [], []
    draw = np.random.default_rng(23)
    groups = {
        "6-MP": REMISSIONS,
        "three causes": [
            (int(age), int(cause))
            for age, cause in zip(
                draw.integers(1, 40, 300), draw.integers(0, 4, 300), strict=True
            )
        ],
        # Nobody is left, nobody leaves, and one person is the whole cohort.
        "gone": [(1, 1), (2, 2), (2, 1), (5, 3)],
        "loyal": [(7, 0), (3, 0)],
        "one": [(4, 2)],
    }
    for name, people in groups.items():
        age, cause = (np.array(column) for column in zip(*people, strict=True))
        given += [
            {"grp": name, "t": at, "ev": event, "cnt": people.count((at, event))}
            for at, event in sorted(set(people))
        ]
        expected += [
            {"grp": name} | row for row in survival(np.zeros(len(people)), age, cause)
        ]
    return given, expected


def _late_entries() -> tuple[list[Row], list[Row]]:
    draw = np.random.default_rng(29)
    age = 1 + draw.geometric(0.07, 600)
    entry = draw.integers(0, 20, 600)
    end = entry + draw.integers(1, 15, 600)
    seen = age > entry
    entry, cause = entry[seen], (age <= end)[seen].astype(int)
    age = np.minimum(age, end)[seen]
    naive = {row["t"]: row["surv"] for row in survival(np.zeros(len(age)), age, cause)}
    return (
        [
            {"entry_age": first, "exit_age": last, "ev": event}
            for first, last, event in zip(entry, age, cause, strict=True)
        ],
        [
            {"t": row["t"], "surv": row["surv"]}
            | {"naive_ignoring_entry": naive[int(row["t"])]}
            for row in survival(entry, age, cause)
            if row["n_event"]
        ],
    )


def stratified_chi_square(strata: list[tuple[int, int, int, int]]) -> float:
    """Cases against the hypergeometric expectation of each stratum, uncorrected."""
    cases, spread = 0.0, 0.0
    for a, n1, c, n0 in strata:
        drawn = stats.hypergeom(n1 + n0, a + c, n1)
        cases += a - drawn.mean()
        spread += drawn.var()
    return cases**2 / spread


def _stratified(strata: list[tuple[int, int, int, int]]) -> tuple[list[Row], Row]:
    a, n1, c, n0 = (
        np.array(column, dtype=float) for column in zip(*strata, strict=True)
    )
    b, d, t = n1 - a, n0 - c, n1 + n0
    ratio = (a * n0 / t).sum() / (c * n1 / t).sum()
    # Greenland and Robins 1985, of the ratio's logarithm.
    spread = np.sqrt(
        ((n1 * n0 * (a + c) - a * c * t) / t**2).sum()
        / ((a * n0 / t).sum() * (c * n1 / t).sum())
    )
    r, s, p, q = a * d / t, b * c / t, (a + d) / t, (b + c) / t
    odds = r.sum() / s.sum()
    # Robins, Breslow and Greenland 1986.
    odds_spread = np.sqrt(
        (p * r).sum() / (2 * r.sum() ** 2)
        + (p * s + q * r).sum() / (2 * r.sum() * s.sum())
        + (q * s).sum() / (2 * s.sum() ** 2)
    )
    z = stats.norm.ppf(0.975)
    intervals = [
        stats.binomtest(int(x.sum()), int(n.sum())).proportion_ci(0.95, "wilson")
        for x, n in ((a, n1), (c, n0))
    ]
    first, second = a.sum() / n1.sum(), c.sum() / n0.sum()
    exposed, other = intervals
    low = np.hypot(first - exposed.low, other.high - second)
    high = np.hypot(exposed.high - first, second - other.low)
    rows = [
        dict(zip(("stratum", "x1", "n1", "x0", "n0"), (i, *stratum), strict=True))
        for i, stratum in enumerate(strata)
    ]
    return rows, {
        "rr_mh": ratio,
        "rr_lo": ratio * np.exp(-z * spread),
        "rr_hi": ratio * np.exp(z * spread),
        "or_mh": odds,
        "or_lo": odds * np.exp(-z * odds_spread),
        "or_hi": odds * np.exp(z * odds_spread),
        "crude_diff": first - second,
        "newcombe_lo": first - second - low,
        "newcombe_hi": first - second + high,
    }
