"""What a run keeps for its figures."""

from bridge.networks import make_solver, save_network
from bridge.runs.samples import read_structure, write_structure


def test_a_network_without_dales_law_has_no_structure_to_show(tmp_path):
    for dale in (True, False):
        file, options = tmp_path / f"{dale}.npz", {"dale": dale}
        save_network(file, make_solver("biornn", 1, **options), "biornn", options)
        write_structure(tmp_path / f"structure-{dale}.npz", file)
    assert read_structure(tmp_path / "structure-True.npz").ei.shape == (64,)
    assert not (tmp_path / "structure-False.npz").exists()
