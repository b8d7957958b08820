"""Rate limits per token: a counter per minute in the database, right for any number of web processes."""

from datetime import datetime

from django.conf import settings
from django.db import connection

from relcontrol.accounts.models import Token
from relcontrol.errors import TooManyRequests

COUNT = """
    INSERT INTO api_ratewindow (token_id, minute, requests) VALUES (%s, %s, 1)
    ON CONFLICT (token_id, minute) DO UPDATE SET requests = api_ratewindow.requests + 1
    RETURNING requests
"""


def count(token: Token, now: datetime) -> None:
    """Count one request; `TooManyRequests` above the limit. The first of a minute notes when the token was used."""
    seconds = int(now.timestamp())
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [token.pk, seconds // 60])
        (requests,) = cursor.fetchone()
    if requests == 1:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)
    if requests > settings.RATE_LIMIT_PER_MINUTE:
        wait = 60 - seconds % 60
        limit = settings.RATE_LIMIT_PER_MINUTE
        raise TooManyRequests(f"More than {limit} requests in this minute. Wait {wait} s.", retry_after=wait)
