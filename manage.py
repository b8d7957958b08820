#!/usr/bin/env python3
"""The one entry point: `python3 manage.py up`, `python3 manage.py test`, `python3 manage.py --help`."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the message an older Python gets instead of a syntax error
    sys.exit("relcontrol needs Python 3.11 or newer. Start it with one, for example: python3.11 manage.py up")

from relcontrol.runtime.bootstrap import main

if __name__ == "__main__":
    main(sys.argv)
