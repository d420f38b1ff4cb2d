"""docs/architecture.md shows the equation as it stands in the source, and the enforced folders."""

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parent.parent


def script(name: str) -> ModuleType:
    """A script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_the_equation_as_it_stands_in_the_source():
    equations = script("equations")
    assert equations.shown_on_page() == equations.blocks()


def test_every_block_names_the_equations_symbols_in_its_order():
    equations = script("equations")
    blocks = [(file, name) for file, name in equations.SOURCES.values() if name == "step"]
    assert len(blocks) == 5  # the sixth is the Op, which runs the kernels
    for file, name in blocks:
        body = equations.function_source(ROOT / file, name).partition(":\n")[2]
        places = [body.find(symbol) for symbol in ("drive", "x_t", "r_t")]
        assert min(places) >= 0, f"{file}: {name} does not use the names drive, x_t and r_t"
        assert body.find("drive") < body.find("r_t"), f"{file}: {name} has another order"


def test_every_folder_of_the_contracts_is_there_and_described():
    drawing = script("draw_architecture")
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for package in ("pycog_dgr", "bridge"):
        for layer in drawing.contract_layers(f"{package}_layers"):
            for name in layer:
                place = ROOT / package / name
                assert place.is_dir() or place.with_suffix(".py").is_file(), place
                assert f"`{name}/`" in page or f"{name}.py" in page, f"{name} is not described"


def test_every_folder_stands_in_a_contract():
    drawing = script("draw_architecture")
    for package in ("pycog_dgr", "bridge"):
        named = {name for layer in drawing.contract_layers(f"{package}_layers") for name in layer}
        there = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
        there |= {path.stem for path in (ROOT / package).glob("[!_]*.py")}
        assert there == named
