"""What the machine must have for some of these tests."""

from __future__ import annotations

import shutil

collect_ignore = [] if shutil.which("strace") else ["test_kernel.py", "test_power_cut.py"]
