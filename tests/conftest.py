"""No example is late, whatever else the machine does; in CI they are the same every time: a build
that fails must fail again for who looks into it."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("anywhere", deadline=None)
settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "anywhere")
