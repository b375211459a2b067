"""The story of a tour as one HTML file that needs nothing else: styles, plots, map and data are all inside."""

from __future__ import annotations

from similia.demo.report.page import write

__all__ = ["write"]
