"""The tolerances of init, step, mnist and functions: largest error relative to largest entry."""

EXACT = 0.0
LAST_BITS = 1e-14  # weights scaled by an eigenvalue, whose last bits depend on the LAPACK build
ONE_PASS = {"float64": 1e-10, "float32": 1e-4}  # forward, loss, gradients, Omega, norm
TRAINED = {"float64": 1e-8, "float32": 1e-4}  # parameters after 1..100 steps
ELEMENTWISE = {"float64": 1e-15, "float32": 1e-6}  # activations and losses of given numbers

# Theano's sigmoid (also the gradient of its softplus) returned exactly 1 where its argument was
# large; ours is 1 / (1 + e^-x) throughout. Above this x the two may differ by e^-x, and no more.
SATURATED_FROM = 15.0
