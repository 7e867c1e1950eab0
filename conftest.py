"""Names the plugins; everything they do is in fixtures/."""

pytest_plugins = [
    "fixtures.lab.plugin",
    "fixtures.lab.reporter",
    "fixtures.lab.provided",
    "fixtures.lab.judging",
    "fixtures.report.plugin",
    "fixtures.report.terminal",
    "fixtures.report.pytest_html",
]
