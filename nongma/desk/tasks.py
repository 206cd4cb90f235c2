from procrastinate import JobContext, builtin_tasks
from procrastinate.contrib.django import app

ENDED_KEPT_HOURS = 14 * 24
"""Of tasks that failed or were called off, for whoever looks after the platform; those that were done go at once."""


@app.periodic(cron="13 19 * * *")
@app.task(name="desk.forget_ended_tasks", queueing_lock="desk:forget-ended-tasks", pass_context=True)
async def forget_ended_tasks(context: JobContext, timestamp: int) -> None:
    """Delete background tasks (后台任务) that ended in any way two weeks ago or earlier."""
    await builtin_tasks.remove_old_jobs(
        context, max_hours=ENDED_KEPT_HOURS, remove_failed=True, remove_cancelled=True, remove_aborted=True
    )
