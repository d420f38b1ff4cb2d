"""One self-contained report.html for a results folder: what was found, and all that it rests on.

    write_report(folder)       folder/report.html, with every figure inside it
    markdown_table(folder)     thesis | ours | difference, for a README

No sentence of the findings is written in advance; see `bridge.report.words`.
"""

from bridge.report.comparison import markdown_table, table_rows
from bridge.report.write import write_report

__all__ = ["markdown_table", "table_rows", "write_report"]
