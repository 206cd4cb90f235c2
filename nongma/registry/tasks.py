from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from nongma.registry.certifications.reminders import remind_of_ends
from nongma.registry.directory.corrections.many import forget_sendings
from nongma.registry.directory.corrections.reminders import prompt_of_overdue
from nongma.registry.directory.settling import come_of_age, settle
from nongma.registry.intake.retention import forget_rows, remove_old_sheets
from nongma.registry.people.services import forget_invited
from nongma.registry.self_registration.codes import forget_codes
from nongma.registry.self_registration.services import forget_drafts
from nongma.registry.services.tries import forget_tries
from nongma.registry.waiting import prompt_of_waiting


# Before the digests go out at eight in Shanghai; the worker's clock is UTC.
@app.periodic(cron="51 23 * * *")
@app.task(name="registry.prompt_reviewers", queueing_lock="registry:prompt-reviewers")
def prompt_reviewers(timestamp: int) -> int:
    """Tell each reviewer how many operators wait."""
    return prompt_of_waiting()


@app.periodic(cron="17 19 * * *")
@app.task(name="registry.forget_unsent", queueing_lock="registry:forget-unsent")
def forget_unsent(timestamp: int) -> int:
    """Delete codes and counted tries of a day ago, drafts untouched and invitations not taken up for 90 days."""
    return forget_codes() + forget_tries() + forget_drafts() + forget_invited()


# Before the digests, as the prompts to reviewers are.
@app.periodic(cron="43 23 * * *")
@app.task(name="registry.remind_of_certifications", queueing_lock="registry:remind-of-certifications")
def remind_of_certifications(timestamp: int) -> int:
    """Tell operators' people of certifications that end within 60, 30 and 7 days."""
    return remind_of_ends()


@app.task(name="registry.load_operators", retry=RetryStrategy(max_attempts=20, wait=5))
def load_operators(uid: str) -> None:
    """Check or load an uploaded sheet of operators; tried again when the database or the reader was away."""
    from nongma.registry.intake.services import run_intake

    run_intake(uid)


@app.task(name="registry.undo_load", retry=RetryStrategy(max_attempts=20, wait=5))
def undo_load(uid: str, actor: int) -> None:
    """Take back what a load put on file."""
    from nongma.accounts.models import User
    from nongma.registry.intake.undoing import run_undo

    run_undo(uid, User.objects.get(pk=actor))


@app.periodic(cron="43 3 * * *")
@app.task(name="registry.tidy_intakes", queueing_lock="registry:tidy-intakes")
def tidy_intakes(timestamp: int) -> int:
    """Delete uploaded sheets of operators, what became of their rows, and sendings to many, kept long enough."""
    return remove_old_sheets() + forget_rows() + forget_sendings()


@app.task(name="registry.send_to_many", retry=RetryStrategy(max_attempts=20, wait=5))
def send_to_many(job_id: int) -> None:
    """Send a notice to all that a filter of the directory found."""
    from nongma.registry.directory.corrections.many import run_sending

    run_sending(job_id)


@app.task(name="registry.settle_directory", queueing_lock="registry:settle-directory")
def settle_directory() -> int:
    """Make entries of the directory anew whose operators have changed, and their counts."""
    return settle()


@app.periodic(cron="* * * * *")
@app.task(name="registry.settle_directory_every_minute", queueing_lock="registry:settle-directory-every-minute")
def settle_directory_every_minute(timestamp: int) -> int:
    """Find what a crash between a commit and its task left behind."""
    return settle()


# Soon after midnight in Shanghai.
@app.periodic(cron="7 16 * * *")
@app.task(name="registry.age_directory", queueing_lock="registry:age-directory")
def age_directory(timestamp: int) -> int:
    """Mark entries that are stale or unused from today on."""
    return come_of_age()


# Before the digests, as the prompts to reviewers are.
@app.periodic(cron="37 23 * * *")
@app.task(name="registry.prompt_of_overdue_corrections", queueing_lock="registry:prompt-of-overdue-corrections")
def prompt_of_overdue_corrections(timestamp: int) -> int:
    """Tell operators, then the township's officers, of notices that nobody answered in time."""
    return prompt_of_overdue()
