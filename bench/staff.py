"""A country's agencies and people on file, for the bench and the test of plans: filled by the database from divisions.

A 监管 agency for every province, city and county, 监测 and 执法 agencies in the counties, then stations of townships;
one administrator each but for every fiftieth, everybody else spread over the agencies.
"""

from typing import Any

AGENCIES, PEOPLE, ENTRIES, SESSIONS = 40_000, 100_000, 100_000, 20_000
PROVINCE, COUNTY = 370000000000, 370785000000
WATCHERS = {"ministry": 0, "province": PROVINCE, "county": COUNTY}
SURNAMES, GIVEN = "赵钱孙李周吴郑王冯陈卫蒋沈韩杨朱秦许何吕", "军秀海燕国明英华文丽建玉春波兰志芳强娟斌"

FILL_AGENCIES = """
    INSERT INTO accounts_agency (uid, name, region_id, level, kind, department, suspended_for, suspended_at,
        suspended_level, contact_state, created_at)
    SELECT gen_random_uuid(), name || title, code, level, kind, 'quality_safety',
        CASE WHEN hashint8(code) %% 200 = 7 THEN '基准' ELSE '' END, CASE WHEN hashint8(code) %% 200 = 7 THEN now() END,
        CASE WHEN hashint8(code) %% 200 = 7 THEN 0 END, 'missing', now() - hashint8(code) %% 900 * interval '1 day'
    FROM (
        SELECT code, name, level, kind, title FROM regions_region,
            (VALUES ('supervision', '农产品质量安全监管机构', 4), ('monitoring', '农产品检测站', 3),
                ('enforcement', '农业综合执法大队', 3)) AS every (kind, title, lowest)
        WHERE valid_to IS NULL AND level BETWEEN CASE kind WHEN 'supervision' THEN 0 ELSE 3 END AND lowest
        ORDER BY level, code, kind LIMIT %s
    ) AS wanted
"""
# The 监管 agency of the nearest division above; of 监测 and 执法 that of the same one.
FILL_PARENTS = """
    UPDATE accounts_agency AS agency SET parent_id = (
        SELECT above.id FROM accounts_agency AS above
        WHERE above.kind = 'supervision' AND above.suspended_at IS NULL
            AND above.region_id IN (0, agency.region_id / 10000000000 * 10000000000,
                agency.region_id / 100000000 * 100000000, agency.region_id / 1000000 * 1000000)
            AND (above.region_id <> agency.region_id OR agency.kind <> 'supervision')
        ORDER BY above.level DESC LIMIT 1)
"""
FILL_PEOPLE = """
    INSERT INTO accounts_user (password, last_login, uid, username, name, agency_id, place, phone, phone_index, email,
        is_active, suspended_for, suspended_at, is_operator, is_demo, must_change_password, has_totp, epoch, roles,
        created_at)
    SELECT '!', CASE WHEN n %% 3 > 0 THEN now() - n %% 300 * interval '1 day' END, gen_random_uuid(),
        'bench' || lpad(n::text, 6, '0'),
        substr(%(surnames)s, 1 + n %% 20, 1) || substr(%(given)s, 1 + n / 20 %% 20, 1)
            || substr(%(given)s, 1 + n / 400 %% 20, 1),
        agency.id, agency.region_id, '', decode(md5(n::text), 'hex'), '', n %% 97 > 0,
        CASE WHEN n %% 211 = 210 THEN '基准' ELSE '' END, CASE WHEN n %% 211 = 210 THEN now() END, false, false,
        n > %(manned)s AND n %% 7 = 0, n <= %(manned)s, 0, '{}', now()
    FROM (SELECT id, region_id, row_number() OVER (ORDER BY level, region_id, id) - 1 AS place FROM accounts_agency)
        AS agency, generate_series(1, %(people)s) AS n
    WHERE agency.place = (n - 1) %% %(manned)s
"""
FILL_POSTS = """
    INSERT INTO accounts_membership (uid, user_id, agency_id, role, from_on)
    SELECT gen_random_uuid(), person.id, agency.id,
        CASE WHEN row_number() OVER (PARTITION BY agency.id ORDER BY person.id) = 1
            AND (agency.place %% 50 <> 49 OR agency.region_id = ANY(%s)) THEN 'administrator'
        WHEN agency.kind = 'monitoring' THEN 'laboratory' WHEN agency.kind = 'enforcement' THEN 'officer'
        WHEN agency.level <= 3 AND right(person.username, 1)::int %% 2 = 0 THEN 'reviewer' ELSE 'collector' END,
        '2024-01-01'
    FROM accounts_user AS person JOIN (
        SELECT id, kind, level, region_id, row_number() OVER (ORDER BY level, region_id, id) - 1 AS place
        FROM accounts_agency) AS agency ON agency.id = person.agency_id
"""
FILL_ROLES = """
    UPDATE accounts_user SET roles = ARRAY[post.role] FROM accounts_membership AS post
    WHERE post.user_id = accounts_user.id
"""
FILL_ADMINISTRATORS = """
    UPDATE accounts_agency AS agency SET administrator_id = post.user_id FROM accounts_membership AS post
    WHERE post.agency_id = agency.id AND post.role = 'administrator'
"""
FILL_WATCHERS = """
    UPDATE accounts_user SET is_active = true, suspended_at = NULL, must_change_password = false, has_totp = true
    WHERE id IN (SELECT administrator_id FROM accounts_agency WHERE region_id = ANY(%s) AND kind = 'supervision')
"""
FILL_ENTRIES = """
    INSERT INTO audit_entry (id, at, actor_id, actor_name, action, target_kind, target_id, region_code, details)
    SELECT gen_random_uuid(), now() - n * interval '1 minute', person.id, person.name, 'account.signed_in',
        'accounts.user', person.id::text, person.place, '{}'
    FROM generate_series(1, %s) AS n JOIN accounts_user AS person ON person.username = 'bench' || lpad(n::text, 6, '0')
"""
FILL_SESSIONS = """
    INSERT INTO accounts_session (session_key, session_data, expire_date, user_id, started_at, seen_at, agent)
    SELECT md5(n::text), '', now() + interval '1 day', id, now(), now(), '基准' FROM (
        SELECT id, row_number() OVER (ORDER BY id) AS n FROM accounts_user) AS person WHERE n <= %s
"""
TABLES = ("accounts_agency", "accounts_user", "accounts_membership", "audit_entry", "accounts_session")


def fill_staff(agencies: int = AGENCIES, people: int = PEOPLE) -> dict[str, Any]:
    """Have so many agencies and people on file, in an otherwise empty country; the administrators who watch them."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "INSERT INTO regions_region (code, level, name, full_name, pinyin, initials)"
            " VALUES (0, 0, '全国', '全国', '', '') ON CONFLICT DO NOTHING"
        )
        cursor.execute(FILL_AGENCIES, [agencies])
        cursor.execute("ANALYZE accounts_agency")
        cursor.execute("UPDATE accounts_agency SET suspended_at = NULL WHERE region_id = ANY(%s)", [_watched()])
        cursor.execute(FILL_PARENTS)
        manned = {"people": people, "manned": min(agencies, people), "surnames": SURNAMES, "given": GIVEN}
        cursor.execute(FILL_PEOPLE, manned)
        cursor.execute("ANALYZE accounts_user")
        cursor.execute(FILL_POSTS, [_watched()])
        cursor.execute(FILL_ROLES)
        cursor.execute(FILL_ADMINISTRATORS)
        cursor.execute(FILL_WATCHERS, [_watched()])
        cursor.execute(FILL_ENTRIES, [ENTRIES])
        cursor.execute(FILL_SESSIONS, [SESSIONS])
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
        cursor.execute(f"ANALYZE {', '.join(TABLES)}")
    return watchers_on_file()


def watchers_on_file() -> dict[str, Any]:
    """The administrators of the ministry, of a province and of a county."""
    from nongma.accounts.models import Agency, User

    found = {}
    for name, code in WATCHERS.items():
        agency = Agency.objects.filter(region_id=code, kind="supervision").exclude(administrator=None).order_by("pk")[0]
        found[name] = User.objects.get(pk=agency.administrator_id)
    return found


def _watched() -> list[int]:
    return list(WATCHERS.values())
