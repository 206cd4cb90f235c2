"""The worker: procrastinate taking tasks from the database, as many at once as the setting says."""

import os

from config import environment as env


def main() -> None:
    """Work until told to stop."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.management import call_command

    django.setup()
    concurrency = env.number("NONGMA_TASKS", 4, low=1, high=64)
    options = (f"--concurrency={concurrency}", "--shutdown-graceful-timeout=10", "--delete-jobs=successful")
    call_command("procrastinate", "worker", *options)


if __name__ == "__main__":
    main()
