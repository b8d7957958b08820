"""Answers are JSON, whatever the client accepts: curl, browsers and generated clients all get the same."""

from collections.abc import Iterable

from rest_framework import renderers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JSONRenderer(renderers.JSONRenderer):
    """JSON in UTF-8. Times are RFC 3339 in UTC."""

    media_type = "application/json"
    charset = None


class AlwaysJSON(BaseContentNegotiation):
    """The first renderer for every client, and the first parser that takes the content type."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The most particular parser of the call for this content type."""
        content_type = request.content_type.split(";")[0].strip().lower()
        by_type = {parser.media_type: parser for parser in parsers}
        return by_type.get(content_type, by_type.get("*/*"))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first one."""
        first = next(iter(renderers))
        return first, first.media_type
