"""Who gets in where: every call and page of the URL configuration, by every role, scope, stranger and neighbour.

What is expected is worked out from what the call or page declares; nothing is listed by hand but the addresses that
need no permission (tests/api/addresses.py).
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import pytest
from django.test import Client

from relcontrol.accounts.models import Role
from relcontrol.accounts.permissions import Allowed, Permission, person_may, service_may
from tests.api.addresses import API, METHODS, PAGES, PUBLIC, Address, calls, every_address, pages
from tests.api.world import World, browser, strangers
from tests.factories import Api

pytestmark = pytest.mark.usefixtures("eastgate")  # everybody is asked while a neighbour has the same names
# Pages of something that belongs to one person: others are refused, whatever their role.
PERSONAL = {"settings-token-revoke"}
REFUSALS = {401, 403, 404, 405}
BY_CALL = [pytest.param(address, method, id=f"{method} {address}") for address in calls() for method in METHODS]
# Methods that a call does not have are told before anybody is asked who she is: one test of them is enough.
DECLARED = [
    (a, method)
    for a in calls()
    for method in METHODS
    if a.call and ("GET" if method == "HEAD" else method) in a.call.permissions
]
BY_DECLARED_CALL = [pytest.param(a, method, id=f"{method} {a}") for a, method in DECLARED]
BY_DECLARED_CALL_OF_ONE = [pytest.param(a, method, id=f"{method} {a}") for a, method in DECLARED if a.parts]
BY_PAGE = [pytest.param(address, id=str(address)) for address in pages()]


def _status(client: Api, method: str, path: str) -> int:
    answer = client.client.generic(method, path, b"{}", content_type="application/json")
    return int(answer.status_code)


def _declared(address: Address, method: str) -> Permission | None:
    assert address.call
    return address.call.permissions.get(method)


def _as_expected(status: int, *, may: bool) -> bool:
    """Whether a status fits: let in (and then told off for the empty body, perhaps), or 403."""
    return status not in REFUSALS and status < 500 if may else status == 403


def test_every_address_is_a_call_a_page_or_known_to_be_public() -> None:
    others = [a.path for a in every_address() if not a.path.startswith((API, PAGES)) and a.path not in PUBLIC]
    assert others == [], "give it a permission, or a reason in PUBLIC of tests/api/addresses.py"


def test_every_call_declares_a_permission_for_every_method_that_it_has() -> None:
    undeclared = []
    for address in calls():
        call = address.call
        assert call, f"{address} is not made from relcontrol.api.calls.Call"
        methods = {name for name in METHODS if name != "HEAD" and hasattr(call, name.lower())}
        if not call.permissions or methods != set(call.permissions):
            undeclared.append(f"{address}: has {sorted(methods)}, declares {sorted(call.permissions)}")
    assert undeclared == []


def test_every_page_declares_its_permission() -> None:
    undeclared = [str(address) for address in pages() if address.page_permission is None]
    assert undeclared == [], "decorate the view with relcontrol.web.pages.page(PERMISSION)"


@pytest.fixture(scope="module")
def nobodies(_northgate: World) -> Mapping[str, Api]:
    """Strangers, made once."""
    return strangers(_northgate)


@pytest.mark.parametrize(("address", "method"), BY_CALL)
def test_a_call_lets_in_whom_it_declares_and_nobody_else(northgate: World, address: Address, method: str) -> None:
    permission, path, wrong = _declared(address, "GET" if method == "HEAD" else method), northgate.path(address), {}
    for role in _as_many_as_tell(Role.values, permission):
        status = _status(northgate.roles[role], method, path)
        if not _fits(status, permission, may=permission and isinstance(person_may([role], permission), Allowed)):
            wrong[role] = status
    for scope in _as_many_as_tell(northgate.scopes, permission):
        status = _status(northgate.scopes[scope], method, path)
        if not _fits(status, permission, may=permission and isinstance(service_may([scope], permission), Allowed)):
            wrong[scope] = status
    assert wrong == {}, f"declared: {permission}"


def _as_many_as_tell(visitors: Iterable[str], permission: Permission | None) -> list[str]:
    """All; or the first, where the call has no such method, which is told before anybody is asked who she is."""
    return list(visitors if permission else islice(visitors, 1))


def _fits(status: int, permission: Permission | None, *, may: Any) -> bool:
    return status == 405 if permission is None else _as_expected(status, may=bool(may))


@pytest.mark.parametrize(("address", "method"), BY_DECLARED_CALL)
def test_a_call_without_a_valid_token_is_refused(
    northgate: World, nobodies: Mapping[str, Api], address: Address, method: str
) -> None:
    path = northgate.path(address)
    statuses = {who: _status(nobody, method, path) for who, nobody in nobodies.items()}
    assert statuses == dict.fromkeys(nobodies, 401)


@pytest.mark.parametrize(("address", "method"), BY_DECLARED_CALL_OF_ONE)
def test_another_organizations_object_is_not_there(
    northgate: World, eastgate: World, address: Address, method: str
) -> None:
    assert _status(eastgate.everything, method, northgate.path(address)) == 404


@pytest.mark.parametrize("address", [pytest.param(a, id=str(a)) for a in calls() if not a.parts])
def test_a_list_shows_nothing_of_another_organization(northgate: World, eastgate: World, address: Address) -> None:
    if _declared(address, "GET") is None:
        assert _status(eastgate.everything, "GET", northgate.path(address)) == 405
        return
    text = eastgate.everything.client.get(northgate.path(address)).content.decode()
    ours = [value for value in northgate.objects.values() if not value.isdecimal()]  # a number stands in any list
    ids = [value for value in ours if value not in eastgate.objects.values()]
    assert len(ids) >= 5
    assert [value for value in ids if value in text] == []


@pytest.mark.parametrize("address", BY_PAGE)
def test_a_page_lets_in_whom_it_declares_and_nobody_else(northgate: World, address: Address) -> None:
    path, permission, wrong = northgate.path(address), address.page_permission, {}
    assert permission
    for role in Role.values:
        status = _visit(browser(northgate.people[role]), path).status_code
        if status in {403, 404} and address.name in PERSONAL:
            continue
        if not _page_fits(status, may=isinstance(person_may([role], permission), Allowed)):
            wrong[role] = status
    assert wrong == {}, f"declared: {permission}"


def _visit(client: Any, path: str) -> Any:
    """GET, or POST where the page takes only that."""
    answer = client.get(path)
    return client.post(path) if answer.status_code == 405 else answer


def _page_fits(status: int, *, may: bool) -> bool:
    """A page that needs a query, or a form filled in, answers 422 without it."""
    return status in {200, 302, 422} if may else status == 403


@pytest.mark.parametrize("address", BY_PAGE)
def test_a_page_of_another_organization_is_not_there(northgate: World, eastgate: World, address: Address) -> None:
    assert _visit(browser(eastgate.people["all"]), northgate.path(address)).status_code == 404


@pytest.mark.parametrize("address", BY_PAGE)
def test_a_page_sends_those_who_are_not_signed_in_to_the_sign_in(northgate: World, address: Address) -> None:
    answer = _visit(Client(raise_request_exception=False), northgate.path(address))
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/sign-in")
