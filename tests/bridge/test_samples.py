"""What a run keeps for its figures."""

from bridge.networks import make_solver, save_network
from bridge.runs import RunPaths
from bridge.runs.samples import read_structure, write_structure


def test_a_network_without_dales_law_has_no_structure_to_show(tmp_path):
    for dale in (True, False):
        file, options = tmp_path / f"{dale}.npz", {"dale": dale}
        save_network(file, make_solver("biornn", 1, **options), "biornn", options)
        write_structure(RunPaths(tmp_path / f"run-{dale}"), 1, file)
    paths = RunPaths(tmp_path / "run-True")
    trained, initial = read_structure(paths.structure(1)), read_structure(paths.initial(1))
    assert trained.ei.shape == (64,) and (trained.Wrec == initial.Wrec).all()  # not trained here
    assert not (tmp_path / "run-False").exists()
