"""pytester, which runs pytest on made-up projects."""

pytest_plugins = ["pytester"]
