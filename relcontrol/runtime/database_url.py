"""Reading a PostgreSQL URL as libpq reads it (standard library only, no I/O).

`postgresql://user:password@host:port/name?sslmode=require`: each part may be percent-encoded, several hosts are
separated by commas, a unix socket folder is written as `?host=/folder` or percent-encoded in the host's place.
"""

from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlencode, urlsplit

from relcontrol.environment import MisconfiguredError

SCHEMES = ("postgres", "postgresql")
LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """Where a database is and who connects. Several hosts and ports are comma-separated, as libpq takes them."""

    name: str
    user: str = ""
    password: str = field(default="", repr=False)
    host: str = ""
    port: str = ""
    options: dict[str, str] = field(default_factory=dict)


def parse_database_url(variable: str, url: str) -> DatabaseAddress:
    """The address in `url`. A malformed one raises MisconfiguredError that names `variable`, never the password."""
    try:
        return _parse(url)
    except ValueError as error:
        example = "postgresql://user:password@host:5432/name"
        raise MisconfiguredError(f"{variable} is not a PostgreSQL URL: {error}. Write it as {example}.") from None


def database_url_of(address: DatabaseAddress) -> str:
    """A URL that parses to `address`."""
    parts = {"host": address.host, "port": address.port, "user": address.user, "password": address.password}
    given = {name: value for name, value in {**parts, **address.options}.items() if value}
    return f"postgresql:///{quote(address.name, safe='')}?{urlencode(given, quote_via=quote)}"


def _parse(url: str) -> DatabaseAddress:
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(f"it must start with postgresql://, not {parts.scheme or 'nothing'}://")
    if parts.fragment:
        raise ValueError("it has a part after '#'; write a '#' in the password as %23")
    userinfo, _, hosts = parts.netloc.rpartition("@")
    user, _, password = userinfo.partition(":")
    host, port = _hosts(hosts)
    query = _query(parts.query)
    name = query.pop("dbname", "") or _decoded(parts.path.removeprefix("/"))
    if not name:
        raise ValueError("it names no database after the last '/'")
    return DatabaseAddress(
        name=name,
        user=query.pop("user", "") or _decoded(user),
        password=query.pop("password", "") or _decoded(password),
        host=query.pop("host", "") or host,
        port=_checked_port(query.pop("port", "")) or port,
        options=query,
    )


def _hosts(netloc: str) -> tuple[str, str]:
    pairs = [_host(part) for part in netloc.split(",")]
    ports = [port for _, port in pairs]
    return ",".join(host for host, _ in pairs), ",".join(ports) if any(ports) else ""


def _host(part: str) -> tuple[str, str]:
    if part.startswith("["):
        host, closed, rest = part[1:].partition("]")
        if not closed or rest[:1] not in ("", ":"):
            raise ValueError("its IPv6 address has no closing bracket")
        return host, _checked_port(rest[1:])
    host, _, port = part.partition(":")
    return _decoded(host), _checked_port(port)


def _checked_port(port: str) -> str:
    for one in filter(None, port.split(",")):
        if not (one.isascii() and one.isdecimal() and 1 <= int(one) <= LAST_PORT):
            raise ValueError("its port is not a number from 1 to 65535")
    return port


def _query(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, text.split("&")):
        key, equals, value = part.partition("=")
        if not key or not equals or key in found:
            raise ValueError("an option after '?' is not written once as name=value")
        found[_decoded(key)] = _decoded(value)
    return found


def _decoded(text: str) -> str:
    decoded = unquote(text, errors="strict")
    if "\0" in decoded:
        raise ValueError("it contains a zero byte")
    return decoded
