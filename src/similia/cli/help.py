"""Help that ends with examples, written as they are typed."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


def _write_examples(epilog: str | None, formatter: Any) -> None:
    if epilog:
        with formatter.section("Examples"):
            for line in epilog.splitlines():
                formatter.write(f"  {line}\n")  # as it is: a wrapped command cannot be copied


def _write_parameters(command: Any, ctx: Any, formatter: Any) -> None:
    """Arguments by the names that the usage line gives them, then options."""
    rows: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None and param.param_type_name == "argument":
            rows["Arguments"].append((param.metavar or param.name.upper(), param.help or ""))
        elif record is not None:
            rows["Options"].append(record)
    for title, shown in rows.items():
        if shown:
            with formatter.section(title):
                formatter.write_dl(shown)


class Command(TyperCommand):
    """A command whose epilog is its examples, one a line."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options."""
        _write_parameters(self, ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples unwrapped."""
        _write_examples(self.epilog, formatter)


class Group(TyperGroup):
    """A group of commands whose epilog is its examples, one a line; options without a command are for ``list``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that ``args`` begin with; ``list`` where they begin with an option."""
        if args[0] == "--help":
            print(ctx.get_help())
            ctx.exit()
        return super().resolve_command(ctx, ["list", *args] if args[0].startswith("-") else args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, options and commands."""
        _write_parameters(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples unwrapped."""
        _write_examples(self.epilog, formatter)


def new_app(**settings: Any) -> typer.Typer:
    """A Typer application with plain help: markup machinery would cost more than the rest of ``--help``."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, **settings)
