"""How the site is built: `make docs`. Nothing is fetched; every warning is an error."""

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "dgr"
author = "The dgr authors"
release = version = metadata.version("dgr")

extensions = [
    "myst_nb",  # Markdown, and notebooks that are run while the site is built
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_copybutton",
    "mathml",  # docs/_extensions: equations without JavaScript
    "plain_docstrings",  # docs/_extensions: docstrings are plain text, not reStructuredText
    "pages_from_code",  # docs/_extensions: settings, command line, API
]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]

html_theme = "pydata_sphinx_theme"
html_title = f"dgr {release}"
templates_path = ["_templates"]
html_static_path = ["_static"]
html_sidebars = {"**": ["all-pages"]}
html_context = {"default_mode": "auto"}
html_css_files = ["dgr.css"]
html_theme_options = {
    "navbar_center": [],
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": {
        "**": ["page-toc"],
        # wide tables
        **{page: [] for page in ("comparison", "gallery", "speed", "generated/settings")},
    },
    "show_prev_next": True,
    "use_edit_page_button": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_show_sourcelink = False
copyright = author
html_math_renderer = "mathml"

myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3

nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 600  # s a cell
nb_merge_streams = True
nb_output_stderr = "remove"  # progress bars

autodoc_typehints = "none"  # shapes and units stand in the docstrings
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
