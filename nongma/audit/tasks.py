from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from nongma.audit.checking import run_check
from nongma.audit.retention import forget_checks
from nongma.audit.sealing import seal_all


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="audit.seal", lock="audit.seal")
def seal_audit(timestamp: int) -> None:
    """Seal the audit entries of the last minute."""
    seal_all()


@app.task(name="audit.check", retry=RetryStrategy(max_attempts=20, wait=5))
def check_log(uid: str) -> None:
    """Check the whole log against its seals."""
    run_check(uid)


@app.periodic(cron="3 19 * * *")
@app.task(name="audit.forget_old", queueing_lock="audit:forget-old")
def forget_old(timestamp: int) -> int:
    """Delete checks of the log that ended long ago."""
    return forget_checks()
