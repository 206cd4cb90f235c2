from procrastinate.contrib.django import app

from nongma.audit.sealing import seal_all


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="audit.seal", lock="audit.seal")
def seal_audit(timestamp: int) -> None:
    """Seal the audit entries of the last minute."""
    seal_all()
