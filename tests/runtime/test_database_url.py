"""DATABASE_URL is read as libpq reads it; a malformed one names the variable and never shows the password."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcontrol.environment import MisconfiguredError
from relcontrol.runtime.database_url import DatabaseAddress, database_url_of, parse_database_url

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
hosts = st.one_of(st.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True), st.just("/var/run/postgresql"))
ports = st.integers(1, 65535).map(str)
options = st.dictionaries(st.sampled_from(["sslmode", "application_name", "options"]), texts, max_size=3)


def parse(url: str) -> DatabaseAddress:
    return parse_database_url("DATABASE_URL", url)


@given(st.builds(DatabaseAddress, name=texts, user=texts, password=texts, host=hosts, port=ports, options=options))
def test_every_address_survives_being_written_as_a_url(address: DatabaseAddress) -> None:
    assert parse(database_url_of(address)) == address


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_clear_refusal(text: str) -> None:
    try:
        address = parse(text)
    except MisconfiguredError as error:
        assert str(error).startswith("DATABASE_URL is not a PostgreSQL URL: ")  # noqa: PT017 - either outcome is right
    else:
        assert address.name


def test_every_part_is_decoded() -> None:
    assert parse("postgres://us%40er:p%3A%2Fw@db.example:6432/my%20db?sslmode=require") == DatabaseAddress(
        "my db", user="us@er", password="p:/w", host="db.example", port="6432", options={"sslmode": "require"}
    )


@pytest.mark.parametrize(
    "url",
    ["postgresql://u@%2Frun%2Fpg/db", "postgresql://u@/db?host=/run/pg", "postgresql:///db?user=u&host=%2Frun%2Fpg"],
)
def test_a_socket_folder_stands_in_the_place_of_the_host_or_in_the_options(url: str) -> None:
    assert parse(url) == DatabaseAddress("db", user="u", host="/run/pg")


def test_several_hosts_stay_together() -> None:
    address = parse("postgresql://u:p@one:5432,two:5433/db?target_session_attrs=read-write")
    assert (address.host, address.port) == ("one,two", "5432,5433")


def test_an_ipv6_address_stands_in_brackets() -> None:
    address = parse("postgresql://u:p@[::1]:5432/db")
    assert (address.host, address.port) == ("::1", "5432")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://u:secret@host/db", "must start with postgresql://"),
        ("host/db", "must start with postgresql://"),
        ("postgresql://u:secret@host", "names no database"),
        ("postgresql://u:secret@host/", "names no database"),
        ("postgresql://u:secret@host:port/db", "port is not a number"),
        ("postgresql://u:secret@host:65536/db", "port is not a number"),
        ("postgresql://u:secret@host/db?sslmode", "not written once as name=value"),
        ("postgresql://u:secret@host/db?sslmode=a&sslmode=b", "not written once as name=value"),
        ("postgresql://u:secret@[::1/db", "IPv6"),
        ("postgresql://u:sec#ret@host/db", "%23"),
        ("postgresql://u:secret%ff@host/db", "not a PostgreSQL URL"),
        ("postgresql://u:secret%00@host/db", "zero byte"),
    ],
)
def test_a_malformed_url_is_refused_with_its_variable_and_reason_but_without_the_password(
    url: str, reason: str
) -> None:
    with pytest.raises(MisconfiguredError) as refusal:
        parse(url)
    assert "DATABASE_URL" in str(refusal.value)
    assert reason in str(refusal.value)
    assert "secret" not in str(refusal.value)
