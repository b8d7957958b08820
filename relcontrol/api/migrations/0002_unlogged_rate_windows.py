"""Rate windows need no write-ahead log: a crash may forget a minute's count."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    """The table of rate windows becomes unlogged."""

    dependencies: ClassVar = [("api", "0001_initial")]
    operations: ClassVar = [
        migrations.RunSQL("ALTER TABLE api_ratewindow SET UNLOGGED", "ALTER TABLE api_ratewindow SET LOGGED")
    ]
