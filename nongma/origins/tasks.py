from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from nongma.origins.collecting.drafts import forget_drafts
from nongma.origins.doubts.looking import look
from nongma.origins.due.prompts import prompt_all
from nongma.origins.due.standing import settle_standing
from nongma.origins.due.sweeping import run_sweeps, sweep_for_rules
from nongma.origins.missed.finding import check_everywhere
from nongma.origins.retention import forget_faults, forget_prompts, forget_review_jobs, remove_old_uploads
from nongma.origins.services.cells import recount_dirty
from nongma.origins.services.imports import run_import
from nongma.origins.services.telling import prompt_of_missed, prompt_of_overdue, prompt_of_waiting


@app.task(name="origins.recount_map", queueing_lock="origins:recount-map")
def recount_map() -> int:
    """Bring the map's counts up to date with the origins that changed."""
    return recount_dirty()


@app.periodic(cron="* * * * *")
@app.task(name="origins.recount_map_every_minute")
def recount_map_every_minute(timestamp: int) -> int:
    """Find what a crash between a commit and its recount left behind."""
    return recount_dirty()


@app.task(name="origins.look_for_doubts", queueing_lock="origins:look-for-doubts")
def look_for_doubts() -> int:
    """Look at the records that changed for what does not look right."""
    return look()


@app.periodic(cron="* * * * *")
@app.task(name="origins.look_for_doubts_every_minute")
def look_for_doubts_every_minute(timestamp: int) -> int:
    """Find what a crash between a commit and its look left behind."""
    return look()


@app.periodic(cron="23 3 * * *")
@app.task(name="origins.remove_old_uploads", queueing_lock="origins:remove-old-uploads")
def remove_uploads(timestamp: int) -> int:
    """Delete uploaded forms that have been kept long enough."""
    return remove_old_uploads()


@app.periodic(cron="9 19 * * *")
@app.task(name="origins.forget_old", queueing_lock="origins:forget-old")
def forget_old(timestamp: int) -> int:
    """Delete what ended long ago: faults of imports, reviews of a whole, notes of prompts; and drafts left alone."""
    return forget_faults() + forget_review_jobs() + forget_prompts() + forget_drafts()


@app.periodic(cron="* * * * *")
@app.task(name="origins.sweep_dues", queueing_lock="origins:sweep-dues")
def sweep_dues(timestamp: int) -> int:
    """Reckon the collection calendar of divisions anew that ask for it."""
    return run_sweeps()


# Shortly after midnight in Shanghai; the worker's clock is UTC.
@app.periodic(cron="5 16 * * *")
@app.task(name="origins.settle_dues", queueing_lock="origins:settle-dues")
def settle_dues(timestamp: int) -> int:
    """Take those who stopped out of the collection calendar, and those who came back in; look for new rules."""
    sweep_for_rules()
    return settle_standing()


# Before the digests go out at eight in Shanghai, and behind `settle_dues`.
@app.periodic(cron="30 23 * * *")
@app.task(name="origins.prompt_dues", queueing_lock="origins:prompt-dues")
def prompt_dues(timestamp: int) -> int:
    """Tell who collects what opens or ends today, and townships and counties what is overdue."""
    return prompt_all()


# Before the digests go out at eight in Shanghai; the worker's clock is UTC.
@app.periodic(cron="50 23 * * *")
@app.task(name="origins.prompt_reviewers", queueing_lock="origins:prompt-reviewers")
def prompt_reviewers(timestamp: int) -> int:
    """Tell each reviewer how many records wait, are late, and are missing, and collectors what they are late with."""
    return prompt_of_waiting() + prompt_of_overdue() + prompt_of_missed()


@app.periodic(cron="17 17 * * *")
@app.task(name="origins.check_missed", queueing_lock="origins:check-missed")
def check_missed(timestamp: int) -> int:
    """Compare what operators declare with what is on file, everywhere, at night."""
    return check_everywhere()


@app.task(name="origins.review_whole", retry=RetryStrategy(max_attempts=20, wait=5))
def review_whole(job_id: int) -> None:
    """Approve or return everything that a filter found."""
    from nongma.origins.services.review import run_review_job

    run_review_job(job_id)


@app.task(name="origins.import", retry=RetryStrategy(max_attempts=20, wait=5))
def import_origins(job_uid: str) -> None:
    """Import an uploaded form; tried again when the database or the reader was away (the import itself counts, too)."""
    run_import(job_uid)


@app.periodic(cron="* * * * * */10")
@app.task(name="origins.retry_stalled", queueing_lock="origins:retry-stalled")
async def retry_stalled(timestamp: int) -> int:
    """Give the tasks of a worker that was killed to the workers that live; how many those were.

    A worker that has not been heard of for 30 seconds counts as killed. Tasks must bear being run again.
    """
    stalled = list(await app.job_manager.get_stalled_jobs())
    for job in stalled:
        await app.job_manager.retry_job(job)
    return len(stalled)
