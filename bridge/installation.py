"""Whether `bridge` is the only package of that name in this environment."""

from importlib import metadata

NAMESAKE = "bridge-ds"  # a distribution on the package index that installs `bridge`, too
REMEDY = (
    "install dgr in an environment of its own (python -m venv), or: pip uninstall "
    f"{NAMESAKE} && pip install --force-reinstall --no-deps dgr"
)


def check_namesake() -> None:
    """ImportError where another distribution has put its files into `bridge` as well.

    Raises
    ------
    ImportError
        Which distribution it is, and the remedy.
    """
    try:
        version = metadata.version(NAMESAKE)
    except metadata.PackageNotFoundError:
        return
    raise ImportError(
        f"the distribution {NAMESAKE} {version} is installed here and has a package `bridge` too, "
        f"so that the files of both are mixed: {REMEDY}"
    )
