"""Settings of the platform, all from the environment (docs/operate.md has the table)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from config import environment as env
from nongma.lib import embedded, keys

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(env.text("NONGMA_DATA", "var")).expanduser()
DATA = (DATA if DATA.is_absolute() else ROOT / DATA).resolve()
REFERENCE = ROOT / "data"

HOST = env.address("NONGMA_HOST", "127.0.0.1")
PORT = env.number("NONGMA_PORT", 8000, low=1, high=65535)
PUBLIC_URL = env.text("NONGMA_PUBLIC_URL", f"http://{HOST}:{PORT}").rstrip("/")
TIANDITU_KEY = env.text("NONGMA_TIANDITU_KEY")
DEMO = env.flag("NONGMA_DEMO", False)
DEBUG = env.flag("NONGMA_DEBUG", False)
SECURE = PUBLIC_URL.startswith("https://")
TRUSTED_PROXIES = env.networks("NONGMA_TRUSTED_PROXIES")

CODE_CIPHER = env.choice("NONGMA_CODE_CIPHER", "aes", among=("aes", "sm4"))
RETIRED_SIGNING_KEYS = env.text("NONGMA_SIGNING_KEYS_RETIRED").split()
HELPLINES = env.text("NONGMA_HELPLINES", "12345,12316").split(",")

SECRET_KEY = keys.secret(DATA, "NONGMA_SECRET_KEY")
ALLOWED_HOSTS = env.names("NONGMA_ALLOWED_HOSTS") or env.own_names(HOST, PUBLIC_URL)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

DATABASE_URL = env.text("DATABASE_URL")
# Under ASGI each request has a thread of its own, so a connection kept by the thread would never be used again:
# the web processes share a pool (nongma/run/web.py sets its size), everything else connects when it needs to.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_HEALTH_CHECKS": True,
        **(env.database(DATABASE_URL) if DATABASE_URL else embedded.address(DATA)),
        "OPTIONS": env.database_options(DATABASE_URL),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "ninja",
    "procrastinate.contrib.django",
    "nongma.regions",
    "nongma.audit",
    "nongma.accounts",
    "nongma.notices",
    "nongma.codes",
    "nongma.catalogue",
    "nongma.registry",
    "nongma.origins",
    "nongma.tracing",
    "nongma.certificates",
    "nongma.public",
    "nongma.desk",
]

MIDDLEWARE = [
    "nongma.lib.proxies.see_through_proxies",
    "nongma.desk.middleware.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "nongma.audit.middleware.keep_address",
    "nongma.lib.problems.problem_documents",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = None
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "nongma.desk.context.shell",
            ],
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "nongma.accounts.backends.PasswordBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "nongma.accounts.strength.SimilarityValidator"},
    {"NAME": "nongma.accounts.strength.LengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "nongma.accounts.strength.CommonValidator"},
    {"NAME": "nongma.accounts.strength.ContextValidator"},
]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "desk:home"
LOGOUT_REDIRECT_URL = "accounts:sign-in"
SESSION_ENGINE = "nongma.accounts.sessions"
SESSION_IDLE_SECONDS = env.number("NONGMA_SESSION_IDLE_MINUTES", 120, low=10, high=720) * 60
PROOF_SECONDS = env.number("NONGMA_PROOF_MINUTES", 10, low=1, high=120) * 60
FIRST_PASSWORD_KEPT = timedelta(days=env.number("NONGMA_FIRST_PASSWORD_DAYS", 30, low=1, high=365))
# The demo's people and scripts sign in with the password alone.
TOTP_REQUIRED = env.flag("NONGMA_TOTP_REQUIRED", not DEMO)
OTP_TOTP_ISSUER = "农码"
TOKEN_SECONDS = env.number("NONGMA_TOKEN_SECONDS", 8 * 3600, low=60, high=30 * 86400)
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
# Who signed in from where stands in the audit log.
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "nongma.lib.proxies.address_of"
# From all addresses together; then only those go on from which the person signed in before (docs/security.md).
GUESSES_AN_HOUR = 30
# From one address for all usernames together; offices share an address.
GUESSES_PER_ADDRESS = env.number("NONGMA_GUESSES_PER_ADDRESS", 300, low=30, high=100_000)

FORM_RENDERER = "nongma.lib.forms.Renderer"

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOT / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 86400
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/vendor/"
STORAGES = {
    "default": {"BACKEND": "nongma.lib.sealed.SealedStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MEDIA_ROOT = DATA / "uploads"

UPLOAD_BYTES = env.number("NONGMA_UPLOAD_MB", 20, low=1, high=500) * 1024 * 1024
IMPORT_ROWS = env.number("NONGMA_IMPORT_ROWS", 200_000, low=100, high=1_000_000)
IMPORT_MEMORY_BYTES = env.number("NONGMA_IMPORT_MEMORY_MB", 1536, low=256, high=65536) * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
KEEP_SLIPS_DAYS = env.number("NONGMA_KEEP_SLIPS_DAYS", 14, low=1, high=90)
DOUBT_ACCURACY_METRES = env.number("NONGMA_DOUBT_ACCURACY_METRES", 15, low=3, high=500)
DOUBT_DEVICE_METRES = env.number("NONGMA_DOUBT_DEVICE_METRES", 200, low=20, high=5_000)
DOUBT_PHONE_OPERATORS = env.number("NONGMA_DOUBT_PHONE_OPERATORS", 4, low=2, high=100)
DOUBT_SCALE_TIMES = env.number("NONGMA_DOUBT_SCALE_TIMES", 10, low=2, high=1_000)
REVIEW_DAYS = env.number("NONGMA_REVIEW_DAYS", 5, low=1, high=90)
FRESH_MONTHS = env.number("NONGMA_FRESH_MONTHS", 12, low=1, high=120)
IDLE_MONTHS = env.number("NONGMA_IDLE_MONTHS", 6, low=1, high=120)
KEEP_UPLOADS_DAYS = env.number("NONGMA_KEEP_UPLOADS_DAYS", 90, low=1, high=3650)
KEEP_JOBS_DAYS = env.number("NONGMA_KEEP_JOBS_DAYS", 365, low=91, high=3650)
KEEP_NOTICES_DAYS = env.number("NONGMA_KEEP_NOTICES_DAYS", 365, low=31, high=3650)
KEEP_MESSAGES_DAYS = env.number("NONGMA_KEEP_MESSAGES_DAYS", 30, low=2, high=3650)

SMS_URL = env.endpoint("NONGMA_SMS_URL")
SMS_KEY = env.text("NONGMA_SMS_KEY")
SMS_TEMPLATE = env.json_template("NONGMA_SMS_TEMPLATE", '{"id": "{id}", "phone": "{phone}", "text": "{text}"}')
MAIL_SERVER = env.mail_server("NONGMA_MAIL_URL")
MAIL_FROM = env.text("NONGMA_MAIL_FROM")
WEBHOOK_URL = env.endpoint("NONGMA_WEBHOOK_URL")
WEBHOOK_KEY = env.text("NONGMA_WEBHOOK_KEY")
env.together("NONGMA_SMS_URL", "NONGMA_SMS_KEY")
env.together("NONGMA_MAIL_URL", "NONGMA_MAIL_FROM")
env.together("NONGMA_WEBHOOK_URL", "NONGMA_WEBHOOK_KEY")
# Where messages go that have no server of their own.
OUTBOX = env.choice("NONGMA_OUTBOX", "file" if DEMO else "off", among=("off", "console", "file"))
SEND_TRIES = env.number("NONGMA_SEND_TRIES", 6, low=1, high=20)
SEND_WAIT_SECONDS = env.number("NONGMA_SEND_WAIT_SECONDS", 5, low=1, high=600)
SEND_TIMEOUT_SECONDS = env.number("NONGMA_SEND_TIMEOUT_SECONDS", 10, low=1, high=60)
SEND_PER_HOUR = env.number("NONGMA_SEND_PER_HOUR", 5, low=1, high=1000)
SEND_PER_DAY = env.number("NONGMA_SEND_PER_DAY", 20, low=1, high=10_000)
SEND_PER_ADDRESS = env.number("NONGMA_SEND_PER_ADDRESS", 60, low=1, high=10_000)
KNOWN_PER_ACCOUNT = env.number("NONGMA_KNOWN_PER_ACCOUNT", 5, low=1, high=1000)
KNOWN_PER_ADDRESS = env.number("NONGMA_KNOWN_PER_ADDRESS", 60, low=1, high=10_000)

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
# Only a trusted proxy can tell which requests came by https: without one a redirect would never end.
SECURE_SSL_REDIRECT = SECURE and bool(TRUSTED_PROXIES)
SECURE_HSTS_SECONDS = 31536000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Preloading a domain into browsers is its owner's choice; pages and API answer a lock-out themselves.
SILENCED_SYSTEM_CHECKS = ["security.W021", "axes.W002"]
CSRF_FAILURE_VIEW = "nongma.desk.errors.expired_form"

MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "nongma.lib.logs.LineFormatter",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    # A page that is refused or not there is an answer like any other: only what broke is told.
    "loggers": {"nongma": {"level": "INFO"}, "axes": {"level": "ERROR"}, "django.request": {"level": "ERROR"}},
}
