"""One file a command. Each has a Typer application ``app`` and imports what it needs when it runs."""
