"""Trials and weights in other programs' files hold the same numbers, by those programs' readers."""

import types

import numpy as np
import pytest

from bridge.cli import main
from pycog_dgr import RNN, CheckpointError, TaskError, simulate_trials
from pycog_dgr.errors import MissingExtraError
from pycog_dgr.running.export import export, matlab_variables, weight_arrays
from tests.golden_kinds.tasks_common import task
from tests.pycog_dgr.test_rnn import VARSTIM

pandas = pytest.importorskip("pandas", reason="the extra [export] is not installed")
xarray = pytest.importorskip("xarray", reason="the extra [export] is not installed")


@pytest.fixture(scope="module")
def trials():
    made = simulate_trials(RNN(VARSTIM, verbose=False), task("rdm_varstim"), 4, 1, 40, states=True)
    made.info["set"] = np.array([[1.0, np.nan], [2, 3], [4, 5], [6, 7]])
    made.info["side"] = np.array(["left", "", "right", "left"])
    return made


def check_dataset(dataset, trials):
    for name in ("inputs", "rates", "states", "outputs", "targets"):
        np.testing.assert_array_equal(dataset[name].values, getattr(trials, name))
        assert dataset[name].dims[:2] == ("trial", "time")
    np.testing.assert_array_equal(dataset["time"].values, trials.t)
    np.testing.assert_array_equal(dataset["info_coh"].values, trials.info["coh"])
    np.testing.assert_array_equal(dataset["info_set"].values, trials.info["set"])
    assert dataset["info_side"].values.tolist() == trials.info["side"].tolist()
    np.testing.assert_array_equal(dataset["epoch_stimulus"].values, trials.epochs["stimulus"])
    assert dataset["time"].attrs["units"] == "ms"


def test_xarray_and_netcdf_hold_everything(trials, tmp_path):
    check_dataset(trials.to_xarray(), trials)
    trials.export(tmp_path / "t.nc")
    with xarray.open_dataset(tmp_path / "t.nc", engine="h5netcdf") as dataset:
        check_dataset(dataset, trials)


def test_pandas_and_csv_have_a_row_a_trial(trials, tmp_path):
    table = trials.to_pandas()
    assert len(table) == 4 and table.index.name == "trial"
    np.testing.assert_array_equal(table["coh"], trials.info["coh"])
    np.testing.assert_array_equal(table["set_1"], trials.info["set"][:, 1])
    np.testing.assert_array_equal(table["stimulus_end"], trials.epochs["stimulus"][:, 1])
    trials.export(tmp_path / "t.csv")
    read = pandas.read_csv(tmp_path / "t.csv", index_col="trial", keep_default_na=True)
    np.testing.assert_allclose(read["coh"], table["coh"])


def test_pandas_has_a_row_a_sample_when_asked(trials):
    table = trials.to_pandas("outputs")
    assert len(table) == trials.lengths.sum() and list(table) == ["output_0", "output_1"]
    one = table.loc[2]
    np.testing.assert_array_equal(one.index, trials.t[: trials.lengths[2]])
    np.testing.assert_array_equal(one.values, trials.outputs[2, : trials.lengths[2]])
    with pytest.raises(TaskError, match="no 'voltage'; there are inputs, rates, states"):
        trials.to_pandas("voltage")


def test_matlab_reads_arrays_and_structs(trials, tmp_path):
    from scipy.io import loadmat

    trials.export(tmp_path / "t.mat")
    read = loadmat(tmp_path / "t.mat", simplify_cells=True)
    np.testing.assert_array_equal(read["rates"], trials.rates)
    np.testing.assert_array_equal(read["info"]["coh"], trials.info["coh"])
    assert read["info"]["side"][2] == "right"
    np.testing.assert_array_equal(read["epochs"]["stimulus"], trials.epochs["stimulus"])
    odd = types.SimpleNamespace(**{**vars(trials), "info": {"a b": trials.info["coh"]}})
    with pytest.raises(TaskError, match="'a b'"):
        matlab_variables(odd)


def test_safetensors_and_a_state_dict_hold_the_weights(tmp_path, capsys):
    import torch
    from safetensors.numpy import load_file

    arrays, rnn = weight_arrays(VARSTIM), RNN(VARSTIM, {"threshold": 0}, verbose=False)
    for name in ("Win", "Wrec", "Wout", "brec", "bout", "x0"):
        np.testing.assert_array_equal(arrays[name], getattr(rnn, name))
    assert main(["export", str(VARSTIM), str(tmp_path / "w.safetensors")]) == 0
    assert main(["export", str(VARSTIM), str(tmp_path / "w.pt")]) == 0
    assert "Wrec" in capsys.readouterr().out
    tensors = torch.load(tmp_path / "w.pt", weights_only=True)
    for name, value in load_file(tmp_path / "w.safetensors").items():
        np.testing.assert_array_equal(value, arrays[name])
        np.testing.assert_array_equal(tensors[name].numpy(), arrays[name])


def test_a_networks_methods_give_its_weights_as_they_are_now(tmp_path):
    import torch
    from safetensors.numpy import load_file

    rnn = RNN(VARSTIM, verbose=False)
    rnn.lesion(units=[2])
    rnn.export(tmp_path / "w.safetensors")
    read = load_file(tmp_path / "w.safetensors")
    assert set(read) == {"Win", "Wrec", "Wout", "brec", "bout", "x0"}
    for name, value in read.items():
        np.testing.assert_array_equal(value, getattr(rnn, name))
    assert not read["Wrec"][:, 2].any()
    tensors = {name: torch.from_numpy(array) for name, array in rnn.arrays().items()}
    tensors["Wrec"].zero_()
    assert rnn.Wrec.any()
    with pytest.raises(CheckpointError, match=r"weights are exported to \.safetensors"):
        rnn.export(tmp_path / "w.mat")


def test_a_trained_networks_raw_weights_leave_too(tmp_path):
    from pycog_dgr import Model
    from tests.pycog_dgr import tiny

    model = Model(**tiny.SETTINGS, generate_trial=tiny.generate_trial)
    saved = model.train(tmp_path / "s.npz").checkpoint
    raw = weight_arrays(tmp_path / "s.npz")["raw.Wrec"]
    np.testing.assert_array_equal(raw, saved.selected.parameters.Wrec)


def test_dgr_export_of_trials(trials, tmp_path, capsys):
    trials.save(tmp_path / "trials.npz")
    for name in ("t.nc", "t.mat", "t.csv"):
        assert main(["export", str(tmp_path / "trials.npz"), str(tmp_path / name)]) == 0
        assert capsys.readouterr().out == f"{tmp_path / name}: 4 trials\n"
    assert main(["export", str(tmp_path / "trials.npz"), str(tmp_path / "t.csv")]) == 2
    assert "is already there" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "trials.npz"), str(tmp_path / "t.xls")]) == 2
    assert ".nc, .csv, .mat, .safetensors, .pt" in capsys.readouterr().err


def test_what_cannot_be_exported_says_why(trials, tmp_path, monkeypatch):
    with pytest.raises(CheckpointError, match=r"trials are exported to \.nc, \.csv, \.mat"):
        export(trials, tmp_path / "t.safetensors")
    with pytest.raises(CheckpointError, match=r"weights are exported to \.safetensors"):
        export({"Wrec": np.ones(2)}, tmp_path / "t.nc")
    with pytest.raises(CheckpointError, match="cannot be written"):
        export(trials, tmp_path / "nowhere" / "t.csv")
    monkeypatch.setitem(__import__("sys").modules, "xarray", None)
    with pytest.raises(MissingExtraError, match=r"dgr\[export\]"):
        trials.to_xarray()
    assert not list(tmp_path.iterdir())
