"""What the machine must have for some of these tests."""

from __future__ import annotations

import shutil

NEEDS = {
    "test_kernel.py": "strace",
    "test_power_cut.py": "strace",
    "test_faketime.py": "faketime",
}
collect_ignore = [test for test, program in NEEDS.items() if not shutil.which(program)]
