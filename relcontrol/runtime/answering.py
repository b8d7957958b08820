"""Whether a process answers on its port yet."""

import http
import http.client
from urllib.parse import urlsplit


def says_ok(url: str) -> bool:
    """Whether GET answers 200 within a second."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=1)
    try:
        connection.request("GET", place.path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
