"""Programs that clients fetch from here: each is one file, served as it runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from relcontrol.accounts.permissions import VIEW, Permission
from relcontrol.api.calls import Call

RELCTL = Path(__file__).parent.parent / "relctl.py"


def python_file(path: Path) -> HttpResponse:
    """A Python file for download."""
    disposition = f'attachment; filename="{path.name}"'
    return HttpResponse(path.read_bytes(), content_type="text/x-python", headers={"Content-Disposition": disposition})


class RelctlFile(Call):
    """`relctl.py`."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    @extend_schema(
        summary="relctl, the command line client, one Python file", responses={(200, "text/x-python"): OpenApiTypes.STR}
    )
    def get(self, request: Request) -> HttpResponse:
        """The file."""
        return python_file(RELCTL)
