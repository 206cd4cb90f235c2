from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from nongma.audit.checking import run_check
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
