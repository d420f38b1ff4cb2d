"""A run takes another's finished generators where the same settings decide them, and only there."""

import json
from pathlib import Path

import pytest

from bridge.errors import ResultsError
from bridge.replay import VARIATIONS
from bridge.runs import RunConfig, RunPaths, reproduce, run_config

QUICK = {
    "protocol": "improved",
    "seeds": (1,),
    "replays": ("generative",),
    "contexts": ((0, 1), (2, 3)),
    "scale": 0.01,
}


def quick(**changes) -> RunConfig:
    return run_config(**{**QUICK, "solvers": ("lstm",), **changes})


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "run"
    reproduce(quick(), folder, "", workers=1, progress=False)
    return folder


def test_a_variation_has_the_very_generators_that_it_takes(base, tmp_path):
    folder, trained = tmp_path / "taken", RunPaths(base)
    reproduce(quick(variation="no-augmentation"), folder, "", workers=1, generators_of=base)
    paths = RunPaths(folder)
    for one, other in (
        (paths.generator(1, 1), trained.generator(1, 1)),
        (paths.generated(1, 1), trained.generated(1, 1)),
        (paths.state("generators-1"), trained.state("generators-1")),  # its seconds are in it
        (paths.table("generator"), trained.table("generator")),
    ):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"variation": "no-alignment"}, r"other settings \(they differ in generator\)"),
        ({"contexts": ((0, 1), (4, 5))}, "differ in contexts"),
        ({"scale": 0.02}, "differ in iterations"),
        ({"seeds": (2,)}, "no finished generators of seed 2"),
    ],
)
def test_generators_that_other_settings_decide_are_refused(base, tmp_path, changes, message):
    with pytest.raises(ResultsError, match=message):
        reproduce(quick(**changes), tmp_path / "run", "", generators_of=base)


def test_generators_of_other_data_and_of_a_published_folder_are_refused(base, tmp_path):
    folder = tmp_path / "stripped"
    folder.mkdir()
    for name in ("config.json", "manifest.json"):
        (folder / name).write_bytes((base / name).read_bytes())
    with pytest.raises(ResultsError, match="no finished generators of seed 1"):
        reproduce(quick(), tmp_path / "run", "", generators_of=folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "data_sha256": "0" * 64}))
    with pytest.raises(ResultsError, match="other images or labels"):
        reproduce(quick(), tmp_path / "run", "", generators_of=folder)
    with pytest.raises(ResultsError, match="not a results folder"):
        reproduce(quick(), tmp_path / "run", "", generators_of=tmp_path / "nothing")


def test_a_variation_runs_the_solvers_that_it_concerns():
    assert run_config(**QUICK, variation="fixed-tau").solvers == ("biornn",)
    assert run_config(**QUICK, variation="constant-rate").solvers == ("lstm", "biornn")
    assert run_config(**QUICK, variation="no-alignment").solvers == ("lstm", "biornn")
    assert run_config(**QUICK).solvers == ("lstm", "biornn")
    assert quick(variation="fixed-tau").solvers == ("lstm",)  # what is asked for is run
    assert all(set(variation.solvers) <= {"biornn"} for variation in VARIATIONS.values())
