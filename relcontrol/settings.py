"""Settings of every process, in one file. README.md lists the environment variables.

A variable that cannot be understood stops the start (relcontrol.environment). No secret has a default: what is not
given is made once and kept with mode 0600 in the data folder.
"""

import subprocess
from pathlib import Path

from relcontrol import environment
from relcontrol.runtime.database import django_database
from relcontrol.runtime.folders import ensure_data_folder

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = ensure_data_folder()


def _commit() -> str | None:
    """The commit that runs, for receipts: given by the build, else asked of git where there is a checkout."""
    if given := environment.text("RELCONTROL_COMMIT"):
        return given
    if not (BASE_DIR / ".git").exists():
        return None
    command = ["git", "-C", str(BASE_DIR), "rev-parse", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603 - fixed words
    except OSError:
        return None
    return answer.stdout.strip() or None


COMMIT = _commit()
DEBUG = environment.flag("RELCONTROL_DEBUG")
SECRET_KEY = environment.secret("RELCONTROL_SECRET_KEY", DATA_DIR / "secret-key")
ALLOWED_HOSTS = environment.words("RELCONTROL_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = environment.words("RELCONTROL_ORIGINS")
HTTPS = environment.flag("RELCONTROL_HTTPS")

INSTALLED_APPS = [
    "relcontrol.database",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "relcontrol.accounts",
    "relcontrol.jobs",
    "relcontrol.api",
    "relcontrol.web",
    "audit",
    "gates",
    "releases",
    "relcontrol",
]

MIDDLEWARE = [
    "relcontrol.web.middleware.RequestIdMiddleware",
    "relcontrol.web.middleware.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "relcontrol.web.middleware.DomainErrorMiddleware",
]

ROOT_URLCONF = "relcontrol.urls"
WSGI_APPLICATION = "relcontrol.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "relcontrol.web.context.shell",
            ],
            "builtins": ["relcontrol.web.templatetags.relcontrol_web"],
        },
    }
]
FORM_RENDERER = "relcontrol.web.forms.FormRenderer"

# The owner migrates; everything else is `rc_app`, which cannot change a receipt.
DATABASE_ROLE = "owner" if environment.text("RELCONTROL_DATABASE_ROLE") == "owner" else "app"
DATABASES = {"default": django_database(DATABASE_ROLE)}  # type: ignore[arg-type]  # Literal narrowed by the line above
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.Person"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
STEP_UP_SECONDS = 600
PERSON_TOKEN_FRESH_SECONDS = 12 * 3600

SESSION_COOKIE_NAME = "relcontrol_session"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_NAME = "relcontrol_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "relcontrol.web.errors.csrf_failure"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # whitenoise looks at its start, before the first collectstatic
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # pages name no other, and to compress each twice doubles the first start
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Body limits in bytes: what a call may send, and what uploads of cases and results may.
BODY_LIMIT = environment.number("RELCONTROL_BODY_LIMIT", 2 * 1024 * 1024, minimum=1024)
UPLOAD_LIMIT = environment.number("RELCONTROL_UPLOAD_LIMIT", 32 * 1024 * 1024, minimum=1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_LIMIT
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

RATE_LIMIT_PER_MINUTE = environment.number("RELCONTROL_RATE_LIMIT", 1200, minimum=1)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["relcontrol.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["relcontrol.api.parsers.AnyJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["relcontrol.api.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "relcontrol.api.schema.Schema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "relcontrol.api.renderers.AlwaysJSON",
    "EXCEPTION_HANDLER": "relcontrol.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "relcontrol",
    "DESCRIPTION": "Register, gate, roll and observe releases of LLM applications; each decision leaves a receipt.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "POSTPROCESSING_HOOKS": [],
}

CELERY_BROKER_URL = environment.text("CELERY_BROKER_URL", "filesystem://localhost")

# Where receipts' private keys are: a folder of 0600 files, or RELCONTROL_KEY_<PURPOSE> (PEM, one or several).
KEY_DIR = Path(environment.text("RELCONTROL_KEYS", str(DATA_DIR / "keys")))
ORIGIN_HOST = environment.text("RELCONTROL_ORIGIN", "relcontrol.local")
RECEIPT_RETENTION_YEARS = environment.number("RELCONTROL_RETENTION_YEARS", 10, minimum=1)
TRACE_RETENTION_DAYS = environment.number("RELCONTROL_TRACE_RETENTION_DAYS", 30, minimum=1)

# The shortest quality window of an observer. Only rehearsals ask for less than a minute.
WINDOW_SECONDS = environment.number("RELCONTROL_WINDOW_SECONDS", 60, minimum=10, maximum=60)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "relcontrol.web.request_id.RequestIdFilter"},
        "not_readiness": {"()": "relcontrol.web.quiet_logs.NotReadiness"},
    },
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id", "not_readiness"]}
    },
    "root": {"handlers": ["stderr"], "level": environment.text("RELCONTROL_LOG_LEVEL", "INFO")},
    "loggers": {"django.server": {"handlers": ["stderr"], "propagate": False}},
}
