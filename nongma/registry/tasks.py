from procrastinate.contrib.django import app

from nongma.registry.waiting import prompt_of_waiting


# Before the digests go out at eight in Shanghai; the worker's clock is UTC.
@app.periodic(cron="51 23 * * *")
@app.task(name="registry.prompt_reviewers", queueing_lock="registry:prompt-reviewers")
def prompt_reviewers(timestamp: int) -> int:
    """Tell each reviewer how many operators wait."""
    return prompt_of_waiting()
