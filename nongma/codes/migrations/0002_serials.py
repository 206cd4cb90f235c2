"""The counter of serials, and the function that takes some in a row."""

from django.db import migrations

# A sequence moves outside transactions, so that whoever takes serials never waits for another's commit. Moving it by
# more than one is two steps (read, set), which a lock of a few microseconds holds together. The lock belongs to the
# session, not to the transaction; the handler gives it back whatever happens, a cancelled statement included.
TAKE = """
CREATE SEQUENCE codes_serial AS bigint MINVALUE 1 MAXVALUE 999999999999 NO CYCLE;

CREATE FUNCTION codes_take(wanted bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    lock_key CONSTANT bigint := 7165064744911531;
    first bigint;
BEGIN
    BEGIN
        PERFORM pg_advisory_lock(lock_key);
        SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END INTO first FROM codes_serial;
        IF wanted < 1 OR first + wanted - 1 > 999999999999 THEN
            first := NULL;
        ELSE
            PERFORM setval('codes_serial', first + wanted - 1);
        END IF;
        PERFORM pg_advisory_unlock(lock_key);
    EXCEPTION WHEN query_canceled OR OTHERS THEN
        PERFORM pg_advisory_unlock(lock_key) FROM pg_locks
        WHERE locktype = 'advisory' AND pid = pg_backend_pid()
          AND classid = (lock_key >> 32)::int::oid AND objid = (lock_key & 4294967295)::oid AND objsubid = 1
          AND granted;
        RAISE;
    END;
    RETURN first;
END
$$;
"""

DROP = """
DROP FUNCTION codes_take(bigint);
DROP SEQUENCE codes_serial;
"""


class Migration(migrations.Migration):
    dependencies = [("codes", "0001_initial")]
    operations = [migrations.RunSQL(TAKE, DROP)]
