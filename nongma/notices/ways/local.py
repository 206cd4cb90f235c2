"""Messages that stay on this machine, for the demo and for trying things out (控制台、文件)."""

import json
import os

from django.conf import settings
from django.utils import timezone

from nongma.notices.models import Outgoing

FOLDER = "outbox"


def print_out(outgoing: Outgoing) -> None:
    """Write the message to standard output; the recipient stays masked there, as in every log."""
    print(f"[{outgoing.get_channel_display()}] {outgoing.masked}：{outgoing.subject} {outgoing.body}", flush=True)


def write_file(outgoing: Outgoing) -> None:
    """Append the message as a line of JSON to the day's file in the data folder's outbox, for its owner alone.

    A message is one write, so two at once don't mix; one that was written before a kill stands there twice, with
    the same id.
    """
    folder = settings.DATA / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = {
        "id": str(outgoing.uid),
        "at": timezone.localtime().isoformat(timespec="seconds"),
        "channel": outgoing.channel,
        "to": outgoing.recipient,
        "subject": outgoing.subject,
        "text": outgoing.body,
    }
    path = folder / f"{timezone.localdate():%Y-%m-%d}.jsonl"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, (json.dumps(line, ensure_ascii=False) + "\n").encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
