"""The report as a page, and its data; the page is kept apart from the file that carries it."""
