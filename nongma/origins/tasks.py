from procrastinate.contrib.django import app

from nongma.origins.services.cells import recount_dirty


@app.task(name="origins.recount_map", queueing_lock="origins:recount-map")
def recount_map() -> int:
    """Bring the map's counts up to date with the origins that changed."""
    return recount_dirty()


@app.periodic(cron="* * * * *")
@app.task(name="origins.recount_map_every_minute")
def recount_map_every_minute(timestamp: int) -> int:
    """Find what a crash between a commit and its recount left behind."""
    return recount_dirty()
