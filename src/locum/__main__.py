"""`python -m locum`."""

from locum.cli.main import main

main()
