"""HTTP/1.1 by uvicorn and httptools, for clients that offer to go on in another protocol.

Java's HTTP client and `curl --http2` send `Upgrade: h2c` with a first request in clear. The offer is declined, as HTTP
allows, by answering in HTTP/1.1. httptools by itself ends such a request at its head, and takes its body for the next.
"""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class DecliningHttp(HttpToolsProtocol):
    """uvicorn's protocol, which speaks nothing else; websockets neither."""

    def feed(self, data: bytes) -> None:
        """Have the parser read these bytes."""
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offered:
                data = self._declined() + data[offered.args[0] :]
            else:
                return

    def _declined(self) -> bytes:
        """The head that was read, without the offer, for a new parser: the old one reads no further."""
        headers = [(name, value) for name, value in self.headers if name != b"upgrade"]
        if len(headers) == len(self.headers):  # CONNECT
            raise httptools.HttpParserError("a tunnel")
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % header for header in headers]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def on_headers_complete(self) -> None:
        if not self.parser.should_upgrade():  # else it comes once more, without the offer
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_message_complete()
