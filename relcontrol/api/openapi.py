"""The schema document: made from the calls, committed as `openapi.json`, compared in the tests, served as committed."""

import json
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.generators import SchemaGenerator

from relcontrol.api.problems import plain_problem
from relcontrol.api.schema import with_problems

FILE = Path(__file__).with_name("openapi.json")


def generated() -> str:
    """The schema as the code has it now."""
    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # untyped there
    return json.dumps(with_problems(document), indent=1, ensure_ascii=False, sort_keys=False) + "\n"


@csrf_exempt  # else a method that it does not have is answered with the page about forms
def openapi_json(request: HttpRequest) -> HttpResponse:
    """The committed document; it needs no token, as it says nothing of any customer."""
    if request.method not in {"GET", "HEAD"}:
        answer = plain_problem(request, 405, "method_not_allowed", "The schema is only read. This path takes GET.")
        answer.headers["Allow"] = "GET, HEAD"
        return answer
    return HttpResponse(FILE.read_bytes(), content_type="application/json")
