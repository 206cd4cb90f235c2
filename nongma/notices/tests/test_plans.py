"""With many on file every read goes by an index: the list, the bell, the digest, the limits, the log of messages."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nongma.accounts.models import User
from nongma.notices.digests import send_digests
from nongma.notices.models import Channel, Notice, Outgoing
from nongma.notices.sending import Message, send
from nongma.notices.services import mark_all_read, notify, withdraw
from nongma.notices.tests.servers import Gateway
from nongma.testing import client_of

PEOPLE, NOTICES, MESSAGES = 2_000, 60_000, 60_000

FILL = f"""
    INSERT INTO accounts_user (uid, username, name, password, place, phone, email, is_active, is_operator, is_demo,
        must_change_password, has_totp, epoch, created_at, suspended_for)
    SELECT gen_random_uuid(), 'u' || n, '某人', '!', 110000000000 + n, '', '', true, false, false,
        false, false, 0, now(), ''
    FROM generate_series(1, {PEOPLE}) n;
    INSERT INTO notices_notice (uid, user_id, kind, title, body, url, about, count, created_at, read_at, due_on)
    SELECT gen_random_uuid(), u.id, (ARRAY['prompt', 'deadline', 'decision'])[1 + n % 3], '提醒', '', '',
        'about' || n, 1, now() - n * interval '1 second',
        CASE WHEN n % 30 > 0 THEN now() END, CASE WHEN n % 10 = 0 THEN now()::date END
    FROM generate_series(1, {NOTICES}) n JOIN accounts_user u ON u.username = 'u' || (1 + n % {PEOPLE});
    INSERT INTO notices_outgoing (uid, channel, via, purpose, recipient, recipient_index, masked, subject, body,
        user_id, place, from_address, state, attempts, last_error, created_at)
    SELECT gen_random_uuid(), 'sms', 'gateway', 'digest', '', decode(md5((n % {PEOPLE})::text), 'hex'), '', '', '',
        u.id, u.place, CASE WHEN n % 5 = 0 THEN '10.0.0.1'::inet + n % 1000 END,
        CASE WHEN n % 50 > 0 THEN 'sent' ELSE 'failed' END, 1, '', now() - n * interval '1 minute'
    FROM generate_series(1, {MESSAGES}) n JOIN accounts_user u ON u.username = 'u' || (1 + n % {PEOPLE});
    ANALYZE accounts_user, notices_notice, notices_outgoing;
"""


@pytest.fixture
def many(hainan: User, li: User, sms: Gateway) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FILL)
    for number in range(60):
        notify(users=[li.pk], kind=Notice.Kind.DECISION, title=f"第 {number} 条")


def plans_of(work: Callable[[], Any], tables: tuple[str, ...]) -> list[str]:
    """The plans of what a piece of work asked of the tables."""
    with CaptureQueriesContext(connection) as queries:
        work()
    plans = []
    with connection.cursor() as cursor:
        for query in queries:
            sql = query["sql"]
            if any(table in sql for table in tables) and sql.lstrip().startswith(("SELECT", "UPDATE", "WITH")):
                cursor.execute(f"EXPLAIN {sql}")
                plans.append("\n".join(row for (row,) in cursor.fetchall()))
    assert plans
    return plans


TABLES = ("notices_notice", "notices_outgoing")


def test_nothing_reads_a_table_from_end_to_end(
    many: None, li: User, hainan: User, ministry: User, sms: Gateway, settings: Any
) -> None:
    message = Message(
        channel=Channel.SMS,
        recipient="19900005935",
        body="b",
        purpose=Outgoing.Purpose.CODE,
        from_address="10.0.0.5",
    )
    works: dict[str, Callable[[], Any]] = {
        "list": lambda: client_of(li).get("/notices/"),
        "later page": lambda: client_of(li).get("/notices/", {"page": 2}),
        "kind": lambda: client_of(li).get("/notices/", {"kind": "decision", "unread": "on"}),
        "all read": lambda: mark_all_read(actor=li),
        "settled": lambda: withdraw(about="about30"),
        "limits": lambda: send(message),
        "log of an area": lambda: client_of(hainan).get("/notices/sent"),
        "log of all": lambda: client_of(ministry).get("/notices/sent", {"state": "failed"}),
        "log of one": lambda: client_of(ministry).get("/notices/sent", {"recipient": "19900005935"}),
        "digest": lambda: send_digests(timezone.localtime().replace(hour=9)),
    }
    wrong = {
        name: plan
        for name, work in works.items()
        for plan in plans_of(work, TABLES)
        if any(f"Seq Scan on {table}" in plan for table in TABLES)
    }
    assert wrong == {}
