"""The frame of pages: what it shows of the person's organizations, and what it reads for it."""

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from relcontrol import clock
from relcontrol.accounts.models import Membership, Organization, Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.kitchen_sink")]


def person(*slugs: str) -> Person:
    made = Person.objects.create(email="ines@northgate.example", name="Ines Duarte", created_at=clock.now())
    for slug in slugs:
        organization = Organization.objects.create(slug=slug, name=slug.title(), origin=slug, created_at=clock.now())
        Membership.objects.create(organization=organization, person=made, roles=["viewer"], created_at=clock.now())
    return made


def test_the_menu_has_what_is_installed_and_marks_where_one_is(client: Client) -> None:
    client.force_login(person("northgate"))
    page = client.get("/o/northgate/").text
    assert re.search(r'href="/o/northgate/"\s+data-go="o"\s+aria-current="page"', page)
    assert re.search(r'href="/o/northgate/audit/"\s+data-go="a"\s*>', page)
    assert ">Roll<" not in page


def test_other_organizations_are_one_click_away(client: Client) -> None:
    client.force_login(person("northgate", "southgate"))
    page = client.get("/o/northgate/").text
    assert 'href="/o/southgate/"' in page
    assert '<span class="cap d-block fw-normal">Northgate</span>' in page


def test_the_start_leads_to_the_only_organization(client: Client) -> None:
    client.force_login(person("northgate"))
    assert client.get("/").headers["Location"] == "/o/northgate/"


def test_the_start_lets_choose_between_several(client: Client) -> None:
    client.force_login(person("northgate", "southgate"))
    assert "Which organization?" in client.get("/").text


def test_the_start_says_what_to_do_where_there_is_none(client: Client) -> None:
    client.force_login(person())
    assert "You are in no organization yet" in client.get("/").text


def test_the_frame_costs_three_queries(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client.force_login(person("northgate", "southgate"))
    with django_assert_num_queries(3):  # session, person, memberships
        client.get("/o/northgate/")
