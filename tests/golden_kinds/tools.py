"""Task tools, numpy activations, fits and bins: the entries of misc_*.npz not made by Theano."""

import numpy as np

from pycog_dgr import datatools, fittools, tasktools
from pycog_dgr.network import Weights, activation, simulate
from tests.golden_kinds.core_common import Coverage
from tests.golden_kinds.tasks_common import error, load, same

EXACT = 0.0
ROUNDING = 1e-15  # float64 in both files
SINGLE = 1e-6  # where the original computed in float32
FIT = 1e-5  # iterations of least squares stop here or there
PREFIXES = (
    "ei_", "Crec_", "uniform_", "truncexp_", "truncnorm_", "rng_after_truncnorm", "deg2rad",
    "vonMises_", "unravel_", "perf_", "correct_2afc_bias", "npact_", "euler_", "part_", "fit_",
    "weibull_x", "cdf_g_x",
)  # fmt: skip


def reads(path):
    return path.name.startswith("misc_") and path.suffix == ".npz"


def check(path):
    """Yield (what, error, tolerance)."""
    arrays, meta = load(path)
    arrays = Coverage({name: array for name, array in arrays.items() if name.startswith(PREFIXES)})
    seed = meta["seed"]
    yield from populations(arrays, meta, seed)
    yield from durations(arrays, seed)
    yield from tuning(arrays)
    yield from performance(arrays)
    yield from dynamics(arrays, meta)
    yield from bins(arrays)
    yield from fits(arrays)
    for i, case in enumerate(meta["get_epochs_idx"]):
        t, index = tasktools.get_epochs_idx(case["dt"], case["epochs"])
        yield f"get_epochs_idx {i}: t", error(t, case["t"]), EXACT
        yield f"get_epochs_idx {i}: index", same(index, case["idx"]), EXACT
    yield "keys read", same(sorted(arrays.unread), []), EXACT


def populations(arrays, meta, seed):
    for name in arrays.arrays:
        if name.startswith("ei_") and not name.endswith("_len"):
            N, pE = name.removeprefix("ei_N").split("_pE")
            ei, EXC, INH = tasktools.generate_ei(int(N), float(pE))
            yield name, error(ei, arrays[name]), EXACT
            yield name, error([len(EXC), len(INH)], arrays[f"{name}_EXC_INH_len"]), EXACT
    for name, case in meta.items():
        if name.startswith("Crec_") and isinstance(case, dict):
            C = tasktools.generate_Crec(
                tasktools.generate_ei(case["N"])[0],
                case["p_exc"],
                case["p_inh"],
                seed=case["seed"],
                strict=False,
                **case["kw"],
            )
            yield name, error(C, arrays[name]), EXACT
    rng = np.random.RandomState(seed + 9)
    rng.rand(3)
    C = tasktools.generate_Crec(tasktools.generate_ei(12)[0], 0.6, 0.9, rng=rng)
    yield "Crec_rngarg", error(C, arrays["Crec_rngarg"]), EXACT


def durations(arrays, seed):
    rng = np.random.RandomState(seed)
    for name, *limits in (("dt20_100_1000", 20, 100, 1000), ("dt0.5_2500_3500", 0.5, 2500, 3500)):
        got = [tasktools.uniform(rng, *limits) for _ in range(50)]
        yield f"uniform_{name}", error(got, arrays[f"uniform_{name}"]), EXACT
    rng = np.random.RandomState(seed + 1)
    for name, *limits in (("dt20_m330_80_1500", 20, 330, 80, 1500), ("dt0.1_m1", 0.1, 1)):
        got = [tasktools.truncated_exponential(rng, *limits) for _ in range(50)]
        yield f"truncexp_{name}", error(got, arrays[f"truncexp_{name}"]), EXACT
    rng = np.random.RandomState(seed + 2)
    for name, *limits in (
        ("dt10_m200_s150_0_400", 10, 200, 150, 0, 400),
        ("dt0.3_m0_s1", 0.3, 0, 1),
    ):
        got = [tasktools.truncated_normal(rng, *limits) for _ in range(50)]
        yield f"truncnorm_{name}", error(got, arrays[f"truncnorm_{name}"]), EXACT
    yield "stream", error(rng.uniform(), arrays["rng_after_truncnorm"]), EXACT


def tuning(arrays):
    s = arrays["vonMises_s"]
    yield "deg2rad", error(tasktools.deg2rad(s), arrays["deg2rad"]), ROUNDING
    for name, got in (
        ("default_pref40", tasktools.vonMises(s, 40)),
        ("g2_k3_b.1", tasktools.vonMises(s, 90, g=2, kappa=3, b=0.1)),
        ("noconvert", tasktools.vonMises(s / 50, 0.3, convert=False)),
    ):
        yield f"vonMises_{name}", error(got, arrays[f"vonMises_{name}"]), ROUNDING
    for dims in ((5, 2), (2, 3, 3, 2, 2)):
        name = "unravel_" + "_".join(map(str, dims))
        got = [tasktools.unravel_index(b, dims) for b in range(len(arrays[name]))]
        yield name, error(got, arrays[name]), EXACT


def performance(arrays):
    trials = [
        {"t": np.arange(steps), "info": {} if choice < 0 else {"coh": coh, "choice": choice}}
        for steps, coh, choice in zip(
            *(arrays[f"perf_{name}"].tolist() for name in ("nt", "coh", "choice")), strict=True
        )
    ]
    z = arrays["perf_z"]
    for name, got in (
        ("perf_2afc", tasktools.performance_2afc(trials, z)),
        ("perf_2afc_min_condition", tasktools.performance_2afc_min_condition(trials, z)),
        ("correct_2afc_bias", tasktools.correct_2afc_bias(trials, z)),
        ("correct_2afc_bias_wide", tasktools.correct_2afc_bias(trials, z, 0.1, 0.9)),
    ):
        yield name, error(got, arrays[name]), EXACT


def dynamics(arrays, meta):
    x = arrays["npact_x"]
    for name in meta["npact_names"]:
        yield f"npact_{name}", error(activation(name)(x), arrays[f"npact_{name}"]), ROUNDING
    part = {name: arrays[f"euler_{name}"] for name in ("Win", "Wrec", "brec", "x_t", "u", "noise")}
    weights = Weights(part["Win"], part["Wrec"], None, part["brec"], None, part["x_t"])
    run = simulate(
        weights, part["u"][1:, np.newaxis], part["noise"][1:, np.newaxis], arrays["euler_alpha"]
    )
    r = np.concatenate((activation("rectify")(part["x_t"])[np.newaxis], run.r[:, 0]))
    yield "euler_r", error(r, arrays["euler_r"]), SINGLE
    yield "euler_x_last", error(run.x[-1, 0], arrays["euler_x_last"]), SINGLE


def bins(arrays):
    X, Y = arrays["part_X"], arrays["part_Y"]
    for name in arrays.arrays:
        if name.startswith("part_") and name.endswith("_sizes"):
            case = name.removesuffix("_sizes")
            how = (
                {"Xedges": arrays["part_edges_edges"]}
                if case == "part_edges"
                else {"nbins": int(case.removeprefix("part_n"))}
            )
            Xbins, Ybins, edges, sizes = datatools.partition(X, Y, **how)
            yield f"{case} x", error(np.concatenate(Xbins), arrays[f"{case}_Xcat"]), EXACT
            yield f"{case} y", error(np.concatenate(Ybins), arrays[f"{case}_Ycat"]), EXACT
            yield f"{case} edges", error(edges, arrays[f"{case}_edges"]), EXACT
            yield f"{case} sizes", error(sizes, arrays[name]), EXACT


def fits(arrays):
    x, y = arrays["fit_x"], arrays["fit_y"]
    xw, yw = arrays["fit_xw"], arrays["fit_yw"]
    cdf = fittools.cdf_gaussian_with_guessing(x, 1, 2, 0.05)
    yield "cdf_g_x", error(cdf, arrays["cdf_g_x"]), ROUNDING
    yield "weibull_x", error(fittools.weibull(xw, 3, 2), arrays["weibull_x"]), ROUNDING
    with_guessing = fittools.cdf_gaussian_with_guessing
    for name, points, function, p0 in (
        ("fit_cdf_gaussian", (x, y), None, None),
        ("fit_cdf_gaussian_p0", (x, y), "cdf_gaussian", [0.5, 3]),
        ("fit_guess_func", (x, y), with_guessing, [0, 4, 0.1]),
        ("fit_weibull", (xw, yw), "weibull", [4, 1]),
    ):
        got, _ = fittools.fit_psychometric(*points, function, p0=p0)
        yield name, error(list(got.values()), arrays[name]), FIT
