"""What every test shares: which examples hypothesis tries.

The suite tries the same examples each time, so that its verdict is about the code and not about luck. ``make fuzz``
looks for new ones: what it finds becomes an ``@example`` of its test.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.register_profile("fuzz", max_examples=int(os.environ.get("SIMILIA_FUZZ") or 100), print_blob=True)
settings.load_profile("fuzz" if os.environ.get("SIMILIA_FUZZ") else "same")
