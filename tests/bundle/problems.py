"""What a call refuses, as comparable tuples."""

from collections.abc import Callable
from typing import Any

import pytest

from relcontrol.bundle.errors import BundleError


def refused(call: Callable[..., Any], *args: Any, **kwargs: Any) -> set[tuple[str, str]]:
    """The (field, code) of every problem; fails where nothing is refused."""
    with pytest.raises(BundleError) as caught:
        call(*args, **kwargs)
    return {(problem.field, problem.code) for problem in caught.value.problems}
