"""Calibration: what a score means.

`Calibrator` learns from judgments how probable it is that a hit is relevant, and gives one threshold for all queries.
`UnlabelledCalibrator` needs no judgments: it tells queries that are about something else, with `EVERYDAY` queries and
`word_salads` to compare with. `score_features` and `tail_units` say what a list tells about its query and its hits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.rank.calibration.calibrator import Calibrator as Calibrator
    from similia.rank.calibration.elsewhere import EVERYDAY as EVERYDAY
    from similia.rank.calibration.elsewhere import word_salads as word_salads
    from similia.rank.calibration.features import score_features as score_features
    from similia.rank.calibration.tail import tail_units as tail_units
    from similia.rank.calibration.unlabelled import UnlabelledCalibrator as UnlabelledCalibrator

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "EVERYDAY": ".elsewhere",
        "Calibrator": ".calibrator",
        "UnlabelledCalibrator": ".unlabelled",
        "score_features": ".features",
        "tail_units": ".tail",
        "word_salads": ".elsewhere",
    },
)
