"""robots.txt: a control room is no place for crawlers."""

from django.http import HttpRequest, HttpResponse

ROBOTS = "User-agent: *\nDisallow: /\n"


def robots(_request: HttpRequest) -> HttpResponse:
    """Nothing here is to be indexed."""
    return HttpResponse(ROBOTS, content_type="text/plain")
