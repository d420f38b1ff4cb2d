"""Numba's kernels and numpy's: the same tests for both, and which of them is chosen."""

import numpy as np
import pytest

from pycog_dgr.config import HIDDEN_ACTIVATIONS, OUTPUT_ACTIVATIONS
from pycog_dgr.errors import BackendError
from pycog_dgr.kernels import (
    Cotangents,
    Readout,
    Recurrence,
    Regulariser,
    Rows,
    Trajectory,
    fastest_kernels,
    get_kernels,
    rows,
)
from pycog_dgr.network import Weights, simulate
from pycog_dgr.network import activation as activation_of

T, B, N, Nin = 6, 4, 5, 3
SCALAR, VECTOR = np.full(N, 0.3), np.linspace(0.1, 1, N)
FINITE_DIFFERENCE = 1e-6  # relative; steps of 1e-6, central
ROUNDING = 1e-13  # relative to the largest entry, float64


@pytest.fixture(params=["numba", "numpy"])
def kernels(request):
    return get_kernels(request.param)


def problem(activation="tanh", alpha=VECTOR, Nin=Nin, seed=0):
    """A recurrence, inputs and noise."""
    rng = np.random.default_rng(seed)
    Win, Wrec = rng.normal(size=(N, Nin)), rng.normal(size=(N, N)) / 2
    recurrence = Recurrence(Win, Wrec, *rng.normal(size=(2, N)), alpha, activation)
    return recurrence, rng.normal(size=(T, B, Nin)), rng.normal(size=(T, B, N))


def readout_of(Nout=2, activation="linear", N=N):
    rng = np.random.default_rng(6)
    return Readout(rng.normal(size=(Nout, N)), rng.normal(size=Nout), activation)


def goal(shape, Nout=2):
    """Targets and a mask (time, trial, Nout)."""
    rng = np.random.default_rng(7)
    return rng.normal(size=(*shape[:2], Nout)), rng.uniform(size=(*shape[:2], Nout))


def close(got, expected, tolerance=ROUNDING):
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("Nin", [Nin, 0])
@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS)
def test_forward_is_the_plain_network(kernels, activation, Nin):
    recurrence, inputs, noise = problem(activation, Nin=Nin)
    Win, Wrec, brec, x0, alpha, *_ = recurrence
    expected = simulate(
        Weights(Win, Wrec, None, brec, np.zeros(0), x0), inputs, noise, alpha,
        hidden_activation=activation,
    )  # fmt: skip
    x, r = kernels.forward(recurrence, inputs, noise)
    close(x, expected.x)
    close(r, expected.r)


@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS)
def test_backward_is_the_slope_of_a_cost_of_states_and_rates(kernels, activation):
    recurrence, inputs, noise = problem(activation)
    gx, gr = np.random.default_rng(1).normal(size=(2, T, B, N))

    def cost(recurrence, noise=noise):
        x, r = kernels.forward(recurrence, inputs, noise)
        return np.sum(gx * x + gr * r)

    back = kernels.backward(recurrence, inputs, kernels.forward(recurrence, inputs, noise), gr, gx)
    rng, h = np.random.default_rng(2), 1e-6
    for name in ("Win", "Wrec", "brec", "x0"):
        value = getattr(recurrence, name)
        direction = rng.normal(size=value.shape)
        above, below = (
            cost(recurrence._replace(**{name: value + sign * h * direction})) for sign in (1, -1)
        )
        slope = np.sum(getattr(back, name) * direction)
        assert slope == pytest.approx((above - below) / (2 * h), rel=FINITE_DIFFERENCE), name
    direction = rng.normal(size=noise.shape)
    slope = np.sum(recurrence.alpha * back.D * direction)
    above, below = (cost(recurrence, noise + sign * h * direction) for sign in (1, -1))
    assert slope == pytest.approx((above - below) / (2 * h), rel=FINITE_DIFFERENCE)
    close(back.S, (recurrence.alpha * back.D[1:]) @ recurrence.Wrec)


def omega_by_formula(recurrence, x, D, bound, Wrec=None):
    """Omega, one step and trial after another, with tanh."""
    alpha = recurrence.alpha
    Wrec = recurrence.Wrec if Wrec is None else Wrec
    total, count = 0, 0
    for t in range(T - 1):
        for b in range(B):
            d = (1 - alpha) * D[t + 1, b]
            q = (1 - alpha) * d + (alpha * d) @ Wrec * (1 - np.tanh(x[t, b]) ** 2)
            if d @ d >= bound:
                total += (q @ q / (d @ d) - 1) ** 2
                count += 1
    return total / count, count / (T * B)


@pytest.mark.parametrize("bound", [1e-20, 2.0])
@pytest.mark.parametrize("alpha", [SCALAR, VECTOR], ids=["one alpha", "one a unit"])
def test_omega_is_its_formula_and_its_gradient_the_slope(kernels, alpha, bound):
    recurrence, inputs, noise = problem(alpha=alpha)
    trajectory = kernels.forward(recurrence, inputs, noise)
    gr = np.random.default_rng(1).normal(size=noise.shape)
    D, S, *_ = kernels.backward(recurrence, inputs, trajectory, gr)
    omega = kernels.omega(recurrence, trajectory, D, S, bound)
    value, nelems = omega_by_formula(recurrence, trajectory.x, D, bound)
    assert omega.value == pytest.approx(value, rel=1e-12)
    assert omega.nelems == nelems and (nelems < (T - 1) / T) == (bound > 1)
    gradient = kernels.omega_gradient(recurrence, D, omega.q_term)
    direction, h = np.random.default_rng(2).normal(size=(N, N)), 1e-6
    above, below = (
        omega_by_formula(
            recurrence, trajectory.x, D, bound, recurrence.Wrec + sign * h * direction
        )[0]
        for sign in (1, -1)
    )
    slope = np.sum(gradient * direction)
    assert slope == pytest.approx((above - below) / (2 * h), rel=FINITE_DIFFERENCE)


def test_omega_of_nothing_that_counts_is_nan_and_its_gradient_zero(kernels):
    recurrence, inputs, noise = problem()
    trajectory = kernels.forward(recurrence, inputs, noise)
    D, S, *_ = kernels.backward(recurrence, inputs, trajectory, np.zeros_like(noise))
    omega = kernels.omega(recurrence, trajectory, D, S, 1e-20)
    assert np.isnan(omega.value) and omega.nelems == 0
    assert not kernels.omega_gradient(recurrence, D, omega.q_term).any()


@pytest.mark.parametrize("with_alpha", [False, True])
@pytest.mark.parametrize("lambda_Omega", [0, 2.5])
@pytest.mark.parametrize("alpha", [SCALAR, VECTOR], ids=["one alpha", "one a unit"])
@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS)
def test_the_gradients_are_all_passes_together(
    kernels, activation, alpha, lambda_Omega, with_alpha
):
    recurrence, inputs, noise = problem(activation, alpha)
    readout, (targets, mask) = readout_of(Nout=N), goal(noise.shape, Nout=N)
    trajectory = kernels.forward(recurrence, inputs, noise)
    loss, gr, gWout, gbout = kernels.loss_gradient(readout, trajectory.r, targets, mask)
    back = kernels.backward(recurrence, inputs, trajectory, gr)
    omega = kernels.omega(recurrence, trajectory, back.D, back.S, 1e-20)
    added = lambda_Omega * kernels.omega_gradient(recurrence, back.D, omega.q_term)
    assert np.abs(added).max() > 0 or not lambda_Omega
    together = kernels.gradients(
        recurrence, readout, inputs, targets, mask, noise, Regulariser(lambda_Omega, 1e-20),
        with_alpha,
    )  # fmt: skip
    assert together[:3] == pytest.approx((loss, *omega[:2]), rel=1e-13)
    expected = back.Win, back.Wrec + added, back.brec, back.x0, gWout, gbout
    for got, one in zip(together[3:9], expected, strict=True):
        close(got, one)
    if with_alpha:
        close(together.alpha, kernels.alpha_cotangent(recurrence, trajectory, back.D))
    else:
        assert together.alpha is None


def test_arrays_of_an_earlier_call_are_written_again(kernels):
    recurrence, inputs, noise = problem(alpha=SCALAR)
    gr = np.random.default_rng(1).normal(size=noise.shape)
    space = Trajectory.empty(noise)
    trajectory = kernels.forward(recurrence, inputs, noise, out=space)
    assert trajectory.x is space.x and trajectory.r is space.r
    out = Cotangents.empty(recurrence, noise)
    expected = kernels.backward(recurrence, inputs, trajectory, gr)
    for _ in range(2):
        got = kernels.backward(recurrence, inputs, trajectory, gr, out=out)
        for one, other, again in zip(got, expected, out, strict=True):
            assert one is again
            np.testing.assert_array_equal(one, other)
    readout, regulariser, kept = readout_of(), Regulariser(2, 1e-20), {}
    batch = inputs, *goal(noise.shape), noise
    expected = kernels.gradients(recurrence, readout, *batch, regulariser)
    for _ in range(2):
        got = kernels.gradients(recurrence, readout, *batch, regulariser, kept=kept)
        for one, other in zip(got, expected, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("Nin", [Nin, 0])
@pytest.mark.parametrize("from_start", [True, False])
@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS)
@pytest.mark.parametrize("steps", [[6, 6, 4, 2], [7] * 9 + [6] * 8 + [5] * 15 + [3] + [2] * 9])
def test_run_is_forward_of_each_trial_as_long_as_it_lasts(
    kernels, activation, from_start, Nin, steps
):
    """Few trials, and more than are integrated together."""
    recurrence, *_ = problem(activation, Nin=Nin)
    readout, n_rows = readout_of(), sum(steps)
    places = Rows.of_lengths(np.array(steps))
    rng = np.random.default_rng(3)
    sizes = ((len(steps), N), (n_rows, Nin), (n_rows, N))
    x, inputs, noise = (rng.normal(size=size) for size in sizes)
    last, r, states = x.copy(), noise.copy(), np.empty_like(noise)
    a = kernels.run(recurrence, readout, places, inputs, r, last, r, states, from_start)
    for b, n in enumerate(steps):
        own = slice(places.begins[b], places.begins[b] + n)
        driven = slice(own.start + from_start, own.stop)
        one = recurrence._replace(x0=x[b])
        expected = kernels.forward(one, inputs[driven, None], noise[driven, None])
        close(r[driven], expected.r[:, 0], 1e-12)
        close(states[driven], expected.x[:, 0], 1e-12)
        close(last[b], expected.x[-1, 0], 1e-12)
        close(a[own], r[own] @ readout.Wout.T + readout.bout, 1e-12)
        if from_start:
            np.testing.assert_array_equal(states[own.start], x[b])
            close(r[own.start], activation_of(activation)(x[b]))
    again = kernels.run(
        recurrence, readout, places, inputs, noise.copy(), x.copy(), from_start=from_start
    )
    np.testing.assert_array_equal(again, a)  # what else is kept changes nothing


@pytest.mark.parametrize("B", [1, 16, 17, 23, 24, 25, 65, 200])
def test_a_batch_of_any_size_runs_as_forward_does(kernels, B):
    """Sizes about the number of trials that are integrated together."""
    recurrence, *_ = problem()
    readout, rng = readout_of(), np.random.default_rng(3)
    inputs, noise = (rng.normal(size=(T, B, size)) for size in (Nin, N))
    x, r = kernels.forward(recurrence, inputs, noise)
    last = np.tile(recurrence.x0, (B, 1))
    places = Rows.of_batch(T, B)
    a = kernels.run(recurrence, readout, places, rows(inputs), rows(noise), last)
    close(a, rows(r) @ readout.Wout.T + readout.bout)
    close(last, x[-1])


@pytest.mark.parametrize(
    ("size", "activation"),
    [
        *(((1, N), "rectify") for N in (3, 20, 70, 200)),
        *((size, "tanh") for size in [(1, 70), (13, 33), (40, 5), (37, 90)]),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_number_of_trials_and_units_is_served(dtype, size, activation):
    """Sizes that fill no tile, one trial with silent units: compiled kernels beside plain ones."""
    B, N = size
    T = 41 if B == 1 else 9  # of one trial not all have their part of the gradient in one sum
    rng, tolerance = np.random.default_rng(4), 1e-4 if dtype == "float32" else 1e-11
    Wrec, Win = rng.normal(size=(N, N)) / np.sqrt(N), rng.normal(size=(N, Nin))
    brec, x0 = rng.normal(size=(2, N))
    arrays = (Win, Wrec, brec, x0, np.full(N, 0.3))
    recurrence = Recurrence(*(array.astype(dtype) for array in arrays), activation)
    inputs = rng.normal(size=(T, B, Nin)).astype(dtype)
    noise, gr = rng.normal(size=(2, T, B, N)).astype(dtype)
    readout = Readout(*(array.astype(dtype) for array in readout_of(N=N)[:2]), "linear")
    targets, mask = (array.astype(dtype) for array in goal(noise.shape))
    found = []
    for name in ("numba", "numpy"):
        one = get_kernels(name)
        trajectory = one.forward(recurrence, inputs, noise)
        back = one.backward(recurrence, inputs, trajectory, gr)
        together = one.gradients(
            recurrence, readout, inputs, targets, mask, noise, Regulariser(2, 1e-20), True
        )
        found.append((*trajectory, *back, *together))
    silent = found[0][1] == 0
    assert (silent.any() and not silent.all()) == (activation == "rectify")
    for got, expected in zip(*found, strict=True):
        close(got, expected, tolerance)


def few_connections(N, share_whole, seed=0):
    """A mask where the columns of some units are full by a half, of the others by a tenth."""
    rng = np.random.default_rng(seed)
    is_whole = np.arange(N) % 10 < 10 * share_whole
    return rng.uniform(size=(N, N)) < np.where(is_whole, 0.5, 0.1), is_whole


@pytest.mark.parametrize("one_alpha", [True, False], ids=["one alpha", "one a unit"])
@pytest.mark.parametrize(
    ("B", "Nin", "share_whole", "dtype"),
    [
        (1, 3, 0.2, "float64"), (7, 3, 0.2, "float64"), (8, 0, 0.2, "float64"),
        (20, 3, 0, "float64"), (65, 3, 0.2, "float64"), (20, 3, 0.2, "float32"),
    ],
)  # fmt: skip
def test_few_connections_give_what_the_whole_matrix_gives(B, Nin, share_whole, dtype, one_alpha):
    N, T = 211, 9
    rng, tolerance = np.random.default_rng(4), 1e-4 if dtype == "float32" else 1e-12
    mask, _ = few_connections(N, share_whole)
    arrays = (
        rng.normal(size=(N, Nin)), rng.normal(size=(N, N)) * mask / 6, *rng.normal(size=(2, N)),
        np.full(N, 0.3) if one_alpha else np.linspace(0.1, 1, N),
    )  # fmt: skip
    recurrence = Recurrence(*(array.astype(dtype) for array in arrays), "rectify")
    readout = Readout(*(array.astype(dtype) for array in readout_of(N=N)[:2]), "linear")
    inputs = rng.normal(size=(T, B, Nin)).astype(dtype)
    noise = rng.normal(size=(T, B, N)).astype(dtype)
    targets, goal_mask = (array.astype(dtype) for array in goal(noise.shape))
    found = []
    for name in ("numba", "numpy"):
        one, kept = get_kernels(name), {}
        given = recurrence._replace(connections=one.connections(mask))
        assert (given.connections is not None) == (name == "numba")
        for _ in range(2):  # the second time on what is kept
            trajectory = one.forward(given, inputs, noise, kept=kept)
            together = one.gradients(
                given, readout, inputs, targets, goal_mask, noise, Regulariser(2, 1e-20), True, kept
            )
        places, x = Rows.of_batch(T, B), np.tile(given.x0, (B, 1))
        a = one.run(given, readout, places, rows(inputs), rows(noise), x)
        found.append((*trajectory, *together._replace(Wrec=together.Wrec * mask), a, x))
    for got, expected in zip(*found, strict=True):
        np.testing.assert_allclose(
            got, expected, rtol=0, atol=tolerance * np.abs(expected).max(initial=0)
        )


def test_columns_are_whole_by_their_own_number_of_connections():
    mask, is_whole = few_connections(500, 0.2)
    found = get_kernels("numba").connections(mask)
    np.testing.assert_array_equal(found.whole, np.flatnonzero(is_whole))
    entries = mask & ~is_whole
    for order, matrix in ((found.by_post, entries), (found.by_pre, entries.T)):
        np.testing.assert_array_equal(np.diff(order.starts), matrix.sum(axis=1))
        assert entries.ravel()[order.flat].all() and len(np.unique(order.flat)) == entries.sum()


@pytest.mark.parametrize("N", [5, 64, 500])
def test_matrices_that_are_full_or_small_are_multiplied_whole(N):
    mask, _ = few_connections(N, 1 if N == 500 else 0.2)
    assert get_kernels("numba").connections(mask) is None


def test_what_the_kernels_keep_changes_no_number(kernels):
    kept = {}
    for n_trial in (B, 1, B):
        recurrence, inputs, noise = problem(seed=n_trial)
        inputs, noise = (np.ascontiguousarray(a[:, :n_trial]) for a in (inputs, noise))
        found = []
        for one in (None, kept):
            trajectory = kernels.forward(recurrence, inputs, noise, kept=one)
            together = kernels.gradients(
                recurrence, readout_of(), inputs, *goal(noise.shape), noise, Regulariser(2, 1e-20),
                True, one,
            )  # fmt: skip
            found.append((*trajectory, *together))
        for got, expected in zip(*found, strict=True):
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("masked", ["all steps", "the last step", "nothing"])
@pytest.mark.parametrize("activation", OUTPUT_ACTIVATIONS)
def test_the_loss_and_its_gradient(kernels, activation, masked):
    rng, Nout = np.random.default_rng(5), 4
    r, targets = rng.normal(size=(T, B, N)), rng.dirichlet(np.ones(Nout), (T, B))
    readout = Readout(rng.normal(size=(Nout, N)), rng.normal(size=Nout), activation)
    mask = rng.uniform(size=targets.shape) * (masked != "nothing")
    if masked == "the last step":
        mask[:-1] = 0

    def loss(readout, r=r):
        return kernels.loss_gradient(readout, r, targets, mask).loss

    with np.errstate(all="ignore"):
        found = kernels.loss_gradient(readout, r, targets, mask)
        a = r @ readout.Wout.T + readout.bout
        out = kernels.outputs(activation, a.copy(), targets, mask)
        if masked == "nothing":
            assert np.isnan(found.loss) and np.isnan(found.gr).all() and np.isnan(found.Wout).all()
            return
    assert found.loss == pytest.approx(out.loss / mask.sum(), rel=1e-12)
    close(out.z, activation_of(activation)(a))
    assert out.squared_error == pytest.approx(np.sum((out.z - targets) ** 2 * mask), rel=1e-12)
    h = 1e-6
    for value, gradient, moved in (
        (readout.Wout, found.Wout, lambda W: loss(readout._replace(Wout=W))),
        (readout.bout, found.bout, lambda b: loss(readout._replace(bout=b))),
        (r, found.gr, lambda r: loss(readout, r)),
    ):
        direction = rng.normal(size=value.shape)
        slope = (moved(value + h * direction) - moved(value - h * direction)) / (2 * h)
        assert np.sum(gradient * direction) == pytest.approx(slope, rel=FINITE_DIFFERENCE)


def test_float32_stays_float32(kernels):
    recurrence, inputs, noise = problem(alpha=SCALAR)
    arrays = [array.astype(np.float32) for array in recurrence[:5]]
    recurrence = Recurrence(*arrays, "rectify")
    inputs, noise = inputs.astype(np.float32), noise.astype(np.float32)
    readout = Readout(*(array.astype(np.float32) for array in readout_of()[:2]), "linear")
    targets, mask = (array.astype(np.float32) for array in goal(noise.shape))
    trajectory = kernels.forward(recurrence, inputs, noise)
    together = kernels.gradients(
        recurrence, readout, inputs, targets, mask, noise, Regulariser(2, 1e-20), True
    )
    given = (*trajectory, *together[3:])
    assert {array.dtype for array in given} == {np.dtype("float32")}


def test_both_draw_the_same_normal_numbers():
    drawn = {name: np.empty((20_001, 3), np.float32) for name in ("numba", "numpy")}
    positions, ends = np.array([2**64 - 20, 77], np.uint64), np.array([13_000, 20_001])
    for name, out in drawn.items():
        get_kernels(name).normals(positions, ends, np.arange(1, 4, dtype=np.float32), out)
    np.testing.assert_allclose(drawn["numba"], drawn["numpy"], rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("scale", [[0.3], [0.3, 2.0, -1.0]])
def test_normal_numbers_of_many_requests_are_those_of_each(kernels, scale):
    factors = np.array(scale, np.float32)
    positions, ends = np.array([2**64 - 2, 5, 900], np.uint64), np.array([7, 8, 300])
    together = np.empty((300, 3), np.float32)
    kernels.normals(positions, ends, factors, together)
    for position, own in zip(positions, np.split(together, ends[:-1]), strict=True):
        drawn = np.empty(own.shape, np.float32)
        kernels.normals(np.array([position]), np.array([len(own)]), np.ones(1, "f4"), drawn)
        np.testing.assert_array_equal(own, drawn * factors)


# --- the choice -----------------------------------------------------------------------------------


def test_where_numba_can_run_it_is_chosen():
    assert fastest_kernels() == "numba"


@pytest.mark.usefixtures("without_numba")
def test_without_numba_numpy_is_chosen_and_the_log_says_why(caplog):
    assert fastest_kernels() == "numpy"
    assert "Numba cannot run here (ModuleNotFoundError" in caplog.text
    with pytest.raises(BackendError, match="use backend='numpy', or install numba"):
        get_kernels("numba")
