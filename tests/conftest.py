"""No example is late, whatever else the machine does; in CI they are the same every time: a build
that fails must fail again for who looks into it."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("anywhere", _PATIENT)
settings.register_profile("ci", _PATIENT, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "anywhere")
