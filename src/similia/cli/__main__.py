"""``python -m similia.cli`` is ``similia``."""

from similia.cli import main

main()
