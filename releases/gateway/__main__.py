"""`python -m releases.gateway`: start a gateway (gateway.md). `manage.py gateway` is the same."""

import argparse
import sys

from releases.gateway.ending import END_SECONDS
from releases.gateway.options import read_options
from releases.workers.supervising import Plan, supervise


def main(arguments: list[str]) -> int:
    """Read the options and keep the workers running until SIGTERM or Ctrl-C."""
    options = read_options(arguments, argparse.ArgumentParser(prog="gateway", description=__doc__))
    plan = Plan(
        name="gateway",
        module="releases.gateway.worker",
        host=options.host,
        port=options.port,
        workers=options.workers,
        metrics=options.data / "metrics",
        end_seconds=END_SECONDS,
        arguments=arguments,
        said={"replica": options.replica},
    )
    return supervise(plan)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
