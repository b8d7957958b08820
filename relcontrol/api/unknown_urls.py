"""The last of the API's paths: everything that no other one took is a problem document, not a page."""

from django.http import HttpRequest, HttpResponse
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt

from relcontrol.api.problems import plain_problem


@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    """404 as problem+json."""
    return plain_problem(request, 404, "not_found", "There is no such call. GET /v1/openapi.json lists all.")


urlpatterns = [re_path(r"^", unknown)]
