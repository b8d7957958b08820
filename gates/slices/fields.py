"""The fields of a slice as they come in: what each may say, and whom and what it names in the organization.

Where several slices come in together they may name each other as parents, which is why a `Directory` can be told of
slices that are no rows yet.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from audit.administration.rules import checked_slug
from gates.judges import DEFAULT_RULES, EXTERNAL
from gates.models import Judge, Slice
from gates.slices import rules
from relcontrol.accounts.models import Application, Membership, Organization, Person
from relcontrol.bundle.reading import Reader
from relcontrol.errors import FieldError, Invalid, invalid

DEFAULTS: Final[Mapping[str, Any]] = {
    "description": "",
    "application": None,
    "parent": None,
    "owner": None,
    "judge": None,
    "threshold": None,
    "quality_floor": None,
    "policy": str(Slice.Policy.POINT),
    "n_min": 20,
    "match": None,
}


class Directory:
    """Whom and what the fields of an organization's slices can name, read once and only when one is named."""

    def __init__(self, organization: Organization, slices: Mapping[str, Slice] | None = None) -> None:
        self._organization = organization
        self._given = slices

    @cached_property
    def slices(self) -> Mapping[str, Slice]:
        """Slices by slug."""
        if self._given is not None:
            return self._given
        return {row.slug: row for row in Slice.objects.filter(organization=self._organization)}

    @cached_property
    def applications(self) -> Mapping[str, Application]:
        """Applications by slug."""
        return {row.slug: row for row in Application.objects.filter(organization=self._organization)}

    @cached_property
    def people(self) -> Mapping[str, Person]:
        """Members by e-mail address in lower case."""
        rows = Membership.objects.filter(organization=self._organization).select_related("person")
        return {row.person.email.lower(): row.person for row in rows}

    @cached_property
    def judges(self) -> frozenset[str]:
        """Names and ids of the judges that were made."""
        rows = Judge.objects.filter(organization=self._organization).values_list("pk", "name")
        return frozenset(text for row in rows for text in row)

    def has_judge(self, text: str) -> bool:
        """Whether somebody can score by it: an external one is made by the run that first names it."""
        return text.startswith(EXTERNAL) or text == DEFAULT_RULES or text in self.judges


def checked_fields(directory: Directory, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the given fields as the row holds them; `Invalid` with every problem."""
    reader = Reader()
    values = {name: _FIELDS[name](directory, reader, value) for name, value in fields.items()}
    if reader.problems:
        errors = [FieldError(problem.field, problem.message) for problem in reader.problems]
        raise Invalid("; ".join(f"{item.field}: {item.message}" for item in errors[:3]), errors=errors)
    return values


def checked_slice_slug(slug: str) -> str:
    """A slug that no address below /slices has taken."""
    if slug in rules.RESERVED:
        raise invalid("slug", f"{slug!r} is an address of its own here; choose another slug, such as {slug}-slice.")
    return checked_slug(slug)


def _name(_: Directory, reader: Reader, value: object) -> str:
    name = reader.text(value.strip() if isinstance(value, str) else value, "name", at_most=rules.MAX_NAME)
    if not name.isprintable():
        reader.refuse("name", "Use printable characters on one line.")
    return name


def _application(directory: Directory, reader: Reader, value: object) -> Application | None:
    if value is None:
        return None
    row = directory.applications.get(str(value))
    if row is None:
        reader.refuse("application", f"There is no application {str(value)[:80]!r}; leave it out to judge in all.")
    return row


def _parent(directory: Directory, reader: Reader, value: object) -> Slice | None:
    if value is None:
        return None
    row = directory.slices.get(str(value))
    if row is None:
        reader.refuse("parent", f"There is no slice {str(value)[:80]!r}; make it first, or leave parent out.")
    return row


def _owner(directory: Directory, reader: Reader, value: object) -> Person | None:
    if value is None:
        return None
    person = directory.people.get(str(value).lower())
    if person is None:
        reader.refuse("owner", "Nobody in this organization has this e-mail address; leave owner out or invite first.")
    return person


def _judge(directory: Directory, reader: Reader, value: object) -> str:
    return _known_judge(directory, reader, rules.read_judge(reader, value) or "", "judge")


def _match(directory: Directory, reader: Reader, value: object) -> dict[str, Any] | None:
    rule = rules.read_match(reader, value)
    if rule is not None and "judge" in rule:
        _known_judge(directory, reader, rule["judge"], "match.judge")
    return rule


def _known_judge(directory: Directory, reader: Reader, text: str, field: str) -> str:
    """Refused where nobody made it: live answers of the slice could not be scored, and no gate could run."""
    if text and not directory.has_judge(text):
        reader.refuse(field, f"There is no judge {text}; make it with POST /v1/judges, or name {DEFAULT_RULES}.")
    return text


def _policy(_: Directory, reader: Reader, value: object) -> str:
    return reader.choice(value, "policy", rules.POLICIES)


def _n_min(_: Directory, reader: Reader, value: object) -> int:
    return reader.integer(value, "n_min", low=1, high=rules.MAX_N_MIN)


def _threshold(_: Directory, reader: Reader, value: object) -> Decimal | None:
    return rules.read_ratio(reader, value, "threshold", above_zero=True, at_most=rules.MAX_THRESHOLD)


def _quality_floor(_: Directory, reader: Reader, value: object) -> Decimal | None:
    return rules.read_ratio(reader, value, "quality_floor", above_zero=False, at_most=Decimal(1))


_FIELDS: Final[Mapping[str, Callable[[Directory, Reader, Any], Any]]] = {
    "name": _name,
    "description": lambda _, reader, value: reader.text(
        value, "description", at_most=rules.MAX_DESCRIPTION, empty=True
    ),
    "application": _application,
    "parent": _parent,
    "owner": _owner,
    "judge": _judge,
    "threshold": _threshold,
    "quality_floor": _quality_floor,
    "policy": _policy,
    "n_min": _n_min,
    "match": _match,
}
