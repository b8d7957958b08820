"""Who gets in where: every call and page of the URL configuration, by every role, scope, stranger and neighbour.

What is expected is worked out from what the call or page declares; nothing is listed by hand but the addresses that
need no permission (tests/api/addresses.py). One address of each permission is asked by everybody. At the others
somebody who may and somebody who may not, of people and of services, show that the same decision is asked for; they
take turns, so that beside each other the addresses of a permission are asked by all.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.test import Client

from relcontrol.accounts.models import Role
from relcontrol.accounts.permissions import Allowed, Permission, person_may, service_may
from tests.api.addresses import API, METHODS, PAGES, PUBLIC, Address, calls, every_address, pages
from tests.api.bodies import dealt
from tests.api.world import World, browser, strangers
from tests.factories import Api

pytestmark = pytest.mark.usefixtures("eastgate")  # everybody is asked while a neighbour has the same names
# Pages of something that belongs to one person: others are refused, whatever their role.
PERSONAL = {"settings-token-revoke"}
REFUSALS = {401, 403, 404, 405}
BY_CALL = [pytest.param(turn, address, id=str(address)) for turn, address in enumerate(calls())]
BY_PAGE = [pytest.param(turn, address, id=str(address)) for turn, address in enumerate(pages())]


def _status(client: Api, method: str, path: str) -> int:
    answer = client.client.generic(method, path, b"{}", content_type="application/json")
    return int(answer.status_code)


def _declared(address: Address, method: str) -> Permission | None:
    assert address.call
    return address.call.permissions.get("GET" if method == "HEAD" else method)


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


def _may(permission: Permission, role: str = "", scope: str = "") -> bool:
    answer = person_may([role], permission) if role else service_may([scope], permission)
    return isinstance(answer, Allowed)


def _some(who: Mapping[str, bool], turn: int) -> dict[str, bool]:
    """The next in turn of those who may, and of those who may not."""
    sides = [[one for one, may in who.items() if may is side] for side in (True, False)]
    return {one: who[one] for side in sides for one in dealt(side, turn, len(side) or 1)}


def _asking(permission: Permission, here: World, turn: int, *, everybody: bool) -> Iterator[tuple[str, Api, bool]]:
    """Who asks, with which client, and whether she may."""
    people = {role: _may(permission, role=role) for role in Role.values}
    services = {scope: _may(permission, scope=scope) for scope in here.scopes}
    for who, clients in ((people, here.roles), (services, here.scopes)):
        for one, may in (who if everybody else _some(who, turn)).items():
            yield one, clients[one], may


@pytest.mark.parametrize(("turn", "address"), BY_CALL)
def test_a_call_lets_in_whom_it_declares_and_nobody_else(northgate: World, turn: int, address: Address) -> None:
    path, wrong = northgate.path(address), {}
    for method in METHODS:
        if permission := _declared(address, method):
            everybody = method != "HEAD" and _is_first(permission, address, method)
            for who, client, may in _asking(permission, northgate, turn, everybody=everybody):
                status = _status(client, method, path)
                if not _as_expected(status, may=may):
                    wrong[method, who] = (status, permission)
    assert wrong == {}


def _is_first(permission: Permission, address: Address, method: str) -> bool:
    """Whether no call before this one declares the permission."""
    declared = ((str(a), name, of) for a in calls() if a.call for name, of in a.call.permissions.items())
    return (str(address), method) == next((call, name) for call, name, of in declared if of == permission)


@pytest.mark.parametrize(("turn", "address"), BY_CALL)
def test_a_method_that_a_call_does_not_have_is_said_to_be_none(northgate: World, turn: int, address: Address) -> None:
    absent = [method for method in METHODS if _declared(address, method) is None]
    [method] = dealt(absent, turn, len(absent))
    assert _status(northgate.everything, method, northgate.path(address)) == 405


@pytest.mark.parametrize(("turn", "address"), BY_CALL)
def test_a_call_without_a_valid_token_is_refused(
    northgate: World, nobodies: Mapping[str, Api], turn: int, address: Address
) -> None:
    path, wrong = northgate.path(address), {}
    for number, method in enumerate(filter(lambda name: _declared(address, name), METHODS)):
        for who in {"no token", *dealt(list(nobodies), turn + number, len(nobodies))}:
            status = _status(nobodies[who], method, path)
            if status != 401:
                wrong[method, who] = status
    assert wrong == {}


@pytest.mark.parametrize("address", [pytest.param(a, id=str(a)) for a in calls() if a.parts])
def test_another_organizations_object_is_not_there(northgate: World, eastgate: World, address: Address) -> None:
    found = {m: _status(eastgate.everything, m, northgate.path(address)) for m in METHODS if _declared(address, m)}
    assert found == dict.fromkeys(found, 404)
    assert found


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


@pytest.mark.parametrize(("turn", "address"), BY_PAGE)
def test_a_page_lets_in_whom_it_declares_and_nobody_else(northgate: World, turn: int, address: Address) -> None:
    path, permission, wrong = northgate.path(address), address.page_permission, {}
    assert permission
    first = next(one for one in pages() if one.page_permission == permission)
    people = {role: _may(permission, role=role) for role in Role.values}
    for role, may in (people if str(first) == str(address) else _some(people, turn)).items():
        status = _visit(browser(northgate.people[role]), path).status_code
        if status in {403, 404} and address.name in PERSONAL:
            continue
        if not _page_fits(status, may=may):
            wrong[role] = status
    assert wrong == {}, f"declared: {permission}"


def _visit(client: Any, path: str) -> Any:
    """GET, or POST where the page takes only that."""
    answer = client.get(path)
    return client.post(path) if answer.status_code == 405 else answer


def _page_fits(status: int, *, may: bool) -> bool:
    """A page that needs a query, or a form filled in, answers 422 without it."""
    return status in {200, 302, 422} if may else status == 403


@pytest.mark.parametrize("address", [pytest.param(address, id=str(address)) for address in pages()])
def test_a_page_is_not_there_for_others_and_sends_whoever_is_not_signed_in_to_the_sign_in(
    northgate: World, eastgate: World, address: Address
) -> None:
    path = northgate.path(address)
    assert _visit(browser(eastgate.people["all"]), path).status_code == 404
    answer = _visit(Client(raise_request_exception=False), path)
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/sign-in")
