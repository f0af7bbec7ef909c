"""The parts of the page that `latebind.inspection.page_file` puts together: HTML, style, and the scripts in order."""
