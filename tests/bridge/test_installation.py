"""What is installed: nothing but ours under `bridge`."""

import pytest

from bridge import installation


def test_another_distribution_with_a_package_bridge_is_an_error_with_a_remedy(
    tmp_path, monkeypatch
):
    installation.check_namesake()
    info = tmp_path / "bridge_ds-0.1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bridge-ds\nVersion: 0.1.2\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match=r"bridge-ds 0\.1\.2 .*pip uninstall bridge-ds"):
        installation.check_namesake()
