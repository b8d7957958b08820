"""Who and what there is: organizations, applications, routes, endpoints, people, memberships, tokens.

Models only. What changes them is in `audit/administration/`, because every change leaves a receipt.
"""

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from relcontrol.ids import MAX_ID_LENGTH, new_id

SLUG = RegexValidator(
    r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z",
    "Use 1 to 63 lower-case letters, digits and hyphens; no hyphen at an end.",
)


if TYPE_CHECKING:
    StringField = models.CharField[str, str]
else:
    StringField = models.CharField  # generic in the stubs only


class Identifier(StringField):
    """Primary key of the form `app_01jd3v…` (relcontrol.ids)."""

    def __init__(self, prefix: str = "", **options: Any) -> None:
        self.prefix = prefix
        options.update(max_length=MAX_ID_LENGTH, primary_key=True, editable=False, default=partial(new_id, prefix))
        super().__init__(**options)

    def deconstruct(self) -> tuple[str, str, Any, dict[str, Any]]:
        name, path, args, options = super().deconstruct()
        for fixed in ("max_length", "primary_key", "editable", "default"):
            options.pop(fixed, None)
        return name, path, args, options | {"prefix": self.prefix}


class Role(models.TextChoices):
    """What a person is in an organization (domain.md "Who")."""

    VIEWER = "viewer", "Viewer"
    DOMAIN_OWNER = "domain-owner", "Domain owner"
    RELEASE_MANAGER = "release-manager", "Release manager"
    AUDITOR = "auditor", "Auditor"
    ADMIN = "admin", "Administrator"


class Organization(models.Model):
    """A customer. It has one receipt chain, whose `origin` never changes.

    `redactions` are steps (`{"pattern", "with"}`) that bodies of traces go through before they are stored.
    """

    id = Identifier("org")
    slug = models.CharField(max_length=63, unique=True, validators=[SLUG])
    name = models.CharField(max_length=200)
    origin = models.CharField(max_length=300, unique=True)
    redactions = models.JSONField(default=list)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class PersonManager(BaseUserManager["Person"]):
    """People are found by their e-mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(email__iexact=username)


class Person(AbstractBaseUser):
    """A human being who signs in. What she may do is in her memberships."""

    id = Identifier("prn")
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="person_email_once")]

    def __str__(self) -> str:
        return self.name or self.email


class Membership(models.Model):
    """The roles of one person in one organization."""

    id = Identifier("mem")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="memberships")
    person = models.ForeignKey(Person, models.PROTECT, related_name="memberships")
    roles = ArrayField(models.CharField(max_length=20, choices=Role.choices))
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "person"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.person} in {self.organization}: {', '.join(self.roles)}"


class Application(models.Model):
    """One LLM product of an organization. Its releases are numbered r1, r2, … and its gate runs 1, 2 and so on.

    `client_settings` names the generation settings in which a client's own value stands against the manifest's.
    """

    id = Identifier("app")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="applications")
    slug = models.CharField(max_length=63, validators=[SLUG])
    name = models.CharField(max_length=200)
    release_count = models.PositiveIntegerField(default=0)
    gate_run_count = models.PositiveIntegerField(default=0)
    client_settings = ArrayField(models.CharField(max_length=40), default=list)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "slug"], name="application_slug_once")]

    def __str__(self) -> str:
        return self.name


class Route(models.Model):
    """One traffic class of an application; `routing` such as {"domain": "legal"} says which."""

    id = Identifier("rte")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    application = models.ForeignKey(Application, models.PROTECT, related_name="routes")
    routing = models.JSONField()
    name = models.CharField(max_length=200)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["application", "routing"], name="route_routing_once"),
            models.UniqueConstraint(
                fields=["application"], condition=models.Q(is_default=True), name="route_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Endpoint(models.Model):
    """A model server. `credential` is the name of a secret that gateways hold, never its value.

    `serves` lists the models that it serves, as manifests name them (`hf:org/repo`, with or without a revision): which
    endpoint answers for a release is decided by them (releases/routing/serving.py).
    """

    class Protocol(models.TextChoices):
        OPENAI = "openai", "OpenAI-compatible"

    id = Identifier("end")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="endpoints")
    name = models.CharField(max_length=63, validators=[SLUG])
    base_url = models.URLField(max_length=500)
    protocol = models.CharField(max_length=20, choices=Protocol.choices, default=Protocol.OPENAI)
    credential = models.CharField(max_length=100, blank=True)
    input_price = models.DecimalField(max_digits=16, decimal_places=10, null=True)
    output_price = models.DecimalField(max_digits=16, decimal_places=10, null=True)
    serves = ArrayField(models.CharField(max_length=300), default=list)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "name"], name="endpoint_name_once")]

    def __str__(self) -> str:
        return self.name


class Token(models.Model):
    """A bearer token `rc_<public>.<secret>`: found by its public part, proved by the digest of its secret.

    A token with a `person` may do what her roles may; one without is a service and may do what `scopes` name.
    `created_by` is who made it: nobody approves what was asked for with a token of her own making.
    """

    id = Identifier("tok")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="tokens")
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="tokens")
    name = models.CharField(max_length=100)
    public = models.CharField(max_length=16, unique=True)
    secret_sha256 = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    created_by = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class ApplicationKey(models.Model):
    """What a client of an application shows a gateway: `rck_<public>.<secret>`, of which only the digest is kept.

    `route` is where its requests go that name none; null is the application's default route.
    """

    id = Identifier("apk")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    application = models.ForeignKey(Application, models.PROTECT, related_name="keys")
    route = models.ForeignKey(Route, models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=100)
    public = models.CharField(max_length=16, unique=True)
    key_sha256 = models.CharField(max_length=64)
    created_by = models.CharField(max_length=40)
    created_by_label = models.CharField(max_length=254)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class RoutingState(models.Model):
    """The generation of an organization's routing: one more with every change of what its gateways must know.

    (epoch, generation) never goes back: gateways refuse what is older. A database that was restored from a copy gets a
    higher epoch (`manage.py routing-epoch`), because its generation has gone back.
    """

    organization = models.OneToOneField(Organization, models.PROTECT, primary_key=True, related_name="routing_state")
    epoch = models.PositiveIntegerField(default=1)
    generation = models.PositiveBigIntegerField(default=1)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.organization_id} {self.epoch}-{self.generation}"


class SignInAttempt(models.Model):
    """A failed sign-in, kept for as long as it slows the next one down. The address is kept as a digest."""

    id = models.BigAutoField(primary_key=True)
    email_digest = models.CharField(max_length=64)
    ip = models.GenericIPAddressField()
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["email_digest", "ip", "at"], name="sign_in_attempt_window")]

    def __str__(self) -> str:
        return f"{self.ip} at {self.at:%Y-%m-%d %H:%M:%S}"
