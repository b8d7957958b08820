"""The gateway's side of the control plane runs without Django and without a database driver."""

import subprocess
import sys

STRANGERS = """
import sys
import releases.gateway.control.connection
loaded = {name.split(".")[0] for name in sys.modules}
print(sorted({"django", "psycopg", "rest_framework", "celery", "requests"} & loaded))
"""


def test_importing_all_of_it_brings_neither_django_nor_a_database_driver() -> None:
    asked = subprocess.run([sys.executable, "-c", STRANGERS], timeout=60, check=True, capture_output=True, text=True)

    assert asked.stdout.strip() == "[]"
