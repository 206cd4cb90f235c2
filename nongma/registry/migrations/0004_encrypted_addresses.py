from collections.abc import Callable
from typing import Any

from django.db import migrations

from nongma.lib.fields import EncryptedTextField, decrypt, encrypt

AT_ONCE = 2000
TABLES = ("registry_operator", "registry_base")
READ = "SELECT id, address FROM {} WHERE id > %s AND address <> '' ORDER BY id LIMIT %s"
WRITE = """
    UPDATE {0} SET address = new.address
    FROM unnest(%s::bigint[], %s::text[]) AS new(id, address) WHERE {0}.id = new.id
"""


def turn(change: Callable[[str], str]) -> Callable[[Any, Any], None]:
    """Put every address on file through a change, some thousand rows at a time."""

    def run(apps: Any, schema_editor: Any) -> None:
        with schema_editor.connection.cursor() as cursor:
            for table in TABLES:
                last = 0
                while rows := cursor.execute(READ.format(table), [last, AT_ONCE]).fetchall():
                    ids, texts = zip(*rows, strict=True)
                    cursor.execute(WRITE.format(table), [list(ids), [change(text) for text in texts]])
                    last = ids[-1]

    return run


class Migration(migrations.Migration):
    """Where people live is personal data: addresses are encrypted like phones."""

    dependencies = [("registry", "0003_remove_operator_registry_operator_grams_and_more")]

    operations = [
        migrations.AlterField("operator", "address", EncryptedTextField("地址", blank=True, default="")),
        migrations.AlterField("base", "address", EncryptedTextField("详细地址", blank=True, default="")),
        migrations.RunPython(turn(encrypt), turn(decrypt)),
    ]
