"""What became of the original's public names: kept, renamed, or left out and why.

Source: the modules of frsong/pycog. `markdown()` is the table of docs/coming-from-pycog.md.
"""

from __future__ import annotations

from typing import NamedTuple

KEPT, RENAMED, LEFT_OUT = "kept", "renamed", "left out"


class Name(NamedTuple):
    """One or several names of a module of the original, separated by spaces.

    `ours` is the dotted path of what to use instead where they are renamed; `why` says what is
    different, or why they are left out.
    """

    module: str
    names: str
    status: str
    ours: str = ""
    why: str = ""


TABLE = (
    Name("pycog", "Model RNN tasktools fittools datatools figtools", KEPT),
    Name("tasktools", "generate_ei generate_Crec get_idx get_epochs_idx uniform", KEPT),
    Name("tasktools", "truncated_exponential truncated_normal deg2rad vonMises", KEPT),
    Name("tasktools", "unravel_index correct_2afc_bias performance_2afc", KEPT),
    Name("tasktools", "performance_2afc_min_condition", KEPT),
    Name("figtools", "Figure Subplot Subplot3D colors apply_alpha gradient mpl plt", KEPT),
    Name(
        "figtools", "PCA", KEPT, "pycog_dgr.compat.mlab.PCA",
        "matplotlib dropped it; the same attributes, computed by scikit-learn",
    ),
    Name("figtools.Figure", "defaults colors add plotlabels shared_lim close", KEPT),
    Name("figtools.Figure", "save", KEPT, why="writes into the present folder unless told where"),
    Name("figtools.Subplot", "set_thickness set_tick_params format axis_off plot equal lim", KEPT),
    Name("figtools.Subplot", "xlabel ylabel xticks yticks xticklabels yticklabels legend", KEPT),
    Name("figtools.Subplot", "text_upper_left text_upper_center text_upper_right", KEPT),
    Name("figtools.Subplot", "text_lower_left text_lower_center text_lower_right", KEPT),
    Name("figtools.Subplot", "hline vline circle highlight hist", KEPT),
    Name(
        "figtools.Subplot", "sturges scott", RENAMED, "numpy.histogram_bin_edges",
        "bins='sturges' or 'scott'",
    ),
    Name("figtools.Subplot3D", "xlabel ylabel zlabel xticks yticks zticks zcircle", KEPT),
    Name("fittools", "weibull cdf_gaussian cdf_gaussian_with_guessing fit_psychometric", KEPT),
    Name("fittools", "fit_functions", KEPT, why="'cdf_gaussian_with_guessing' is spelt so"),
    Name("datatools", "partition", KEPT),
    Name("rnn", "RNN rectify rectify_power sigmoid rtanh softmax activation_functions", KEPT),
    Name("rnn.RNN", "run plot_costs plot_structure plot_connection_matrix", KEPT),
    Name(
        "rnn.RNN", "spectral_radius", RENAMED, "pycog_dgr.network.spectral_radius"
    ),
    Name("rnn.RNN", "fill clip_weights", LEFT_OUT, why="steps of reading a save file, done by RNN"),
    Name(
        "rnn.RNN", "defaults ou_defaults dtype", LEFT_OUT,
        why="give settings as RNN(savefile, {...}); RNN(None) has those of the original",
    ),
    Name("model", "Model Struct", KEPT),
    Name(
        "model.Model", "train", KEPT,
        why="compiledir is not needed; gpus above 0 is an error, training runs on the CPU",
    ),
    Name("connectivity", "Connectivity", KEPT),
    Name("connectivity", "is_connected", LEFT_OUT, why="Connectivity warns where it is not"),
    Name("connectivity.Connectivity", "define", LEFT_OUT, why="make another Connectivity"),
    Name(
        "dataset", "Dataset", KEPT,
        why="a minibatch is Batch(inputs, targets, mask, noise), nothing packed",
    ),
    Name("dataset.Dataset", "has_output_mask get_trials", KEPT),
    Name("dataset.Dataset", "update rectify", LEFT_OUT, why="calling it makes the next minibatch"),
    Name("defaults", "defaults", KEPT),
    Name("defaults", "generate_trial", LEFT_OUT, why="it did nothing"),
    Name("utils", "get_here get_parent mkdir_p print_settings println", KEPT),
    Name(
        "utils", "dump", LEFT_OUT,
        why="save files are no pickles here; Trials.save keeps trials, numpy.savez arrays",
    ),
    Name("trainer", "Trainer", RENAMED, "pycog_dgr.Model.train"),
    Name("sgd", "SGD", RENAMED, "pycog_dgr.symbolic.optimisers", "clipping, sgd, adam"),
    Name(
        "theanotools", "(all)", RENAMED, "pycog_dgr.symbolic",
        "PyTensor is Theano's successor: activations.py, objective.py",
    ),
    Name("euler", "euler euler_no_Win", RENAMED, "pycog_dgr.network.simulate"),
    Name(
        "pbstools", "write_jobfile", LEFT_OUT,
        why="clusters differ; put the command into a job script: started again, it goes on",
    ),
    Name(
        "cmtools", "format_cm plot_cm", RENAMED, "pycog_dgr.RNN.plot_connection_matrix",
        "they could not be imported",
    ),
    Name("cm", "(all)", LEFT_OUT, why="matplotlib has these colour maps (parula excepted)"),
)  # fmt: skip

LEFT_OUT_MODULES = {
    "trainer": "Model.train trains; pycog_dgr.training.loop.train takes the same parts by hand",
    "sgd": "pycog_dgr.symbolic.optimisers has clipping, sgd and adam",
    "theanotools": "Theano's successor is PyTensor; see pycog_dgr.symbolic.activations",
    "euler": "pycog_dgr.network.simulate integrates a network",
    "pbstools": "put the command into your cluster's job script: started again, it goes on",
    "cmtools": "RNN.plot_connection_matrix draws a matrix of weights",
    "cm": "matplotlib.colormaps has them",
}


def markdown() -> str:
    """The table, as Markdown."""
    rows = ["| module | name | here | instead, or why |", "|---|---|---|---|"]
    for row in TABLE:
        names = ", ".join(f"`{name}`" for name in row.names.split())
        note = "; ".join(part for part in (f"`{row.ours}`" if row.ours else "", row.why) if part)
        rows.append(f"| `{row.module}` | {names} | {row.status} | {note} |")
    return "\n".join(rows)
