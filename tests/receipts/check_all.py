"""Runs examples/verify_receipt.py over a folder of cases, each in a process-like clean call."""

import contextlib
import io
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import verify_receipt  # noqa: E402

wrong = total = 0
for case in sorted(Path(sys.argv[2]).iterdir()):
    total += 1
    expected = 0 if (case / "holds").read_text() == "yes" else 1
    # A key that is no UTF-8 could not be typed.
    key = (case / "key").read_bytes().decode("utf-8", "replace")
    sys.argv = ["verify_receipt.py", str(case / "receipt"), str(case / "policy"), key]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        found = verify_receipt.main()
    if found != expected:
        wrong += 1
        print(f"{case.name}: {found}, expected {expected}: {said.getvalue()}")
print(f"{total} as expected" if not wrong else f"{wrong} of {total} WRONG")
sys.exit(1 if wrong else 0)
