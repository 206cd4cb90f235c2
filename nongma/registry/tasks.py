from procrastinate.contrib.django import app

from nongma.registry.self_registration.codes import forget_codes
from nongma.registry.self_registration.services import forget_drafts
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
    """Delete codes by text message of more than a day ago, and drafts that nobody touched for 90 days."""
    return forget_codes() + forget_drafts()
