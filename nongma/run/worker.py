"""The worker: procrastinate taking tasks from the database, as many at once as the setting says."""

import os

from config import environment as env


def size() -> int:
    """How many tasks at once; a bad setting stops the start."""
    return env.number("NONGMA_TASKS", 4, low=1, high=64)


def main() -> None:
    """Work until told to stop."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.management import call_command

    django.setup()
    options = (f"--concurrency={size()}", "--shutdown-graceful-timeout=10", "--delete-jobs=successful")
    call_command("procrastinate", "worker", *options)


if __name__ == "__main__":
    main()
