"""Sphinx configuration: ``make docs`` builds the site into build/docs."""

import midiopt

project = "midiopt"
author = "The midiopt authors"
copyright = "The midiopt authors"
release = version = midiopt.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns: list[str] = []
myst_enable_extensions = ["attrs_inline", "colon_fence"]
myst_heading_anchors = 3

autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_mock_imports = ["pyarrow", "torch"]  # large; only names are taken from them
# Names of other projects: their documentation is not loaded, so that the build needs no network.
nitpick_ignore_regex = [("py:.*", r"(?!midiopt).*")]

html_theme = "furo"
html_title = "midiopt"
html_copy_source = False
html_show_sourcelink = False
# The theme's fonts are those of the reader's system.
html_theme_options = {"light_css_variables": {"font-stack": "system-ui, sans-serif", "font-stack--monospace": "ui-monospace, monospace"}}
