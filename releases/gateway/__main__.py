"""`python -m releases.gateway`: start a gateway (gateway.md). `manage.py gateway` is the same."""

import argparse
import sys

from releases.gateway.options import read_options
from releases.gateway.supervising import supervise


def main(arguments: list[str]) -> int:
    """Read the options and keep the workers running until SIGTERM or Ctrl-C."""
    options = read_options(arguments, argparse.ArgumentParser(prog="gateway", description=__doc__))
    return supervise(options, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
