"""`python -m etl` is `defender-etl`."""

from etl.cli import main

main()
