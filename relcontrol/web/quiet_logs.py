"""What is asked every second while a system starts is no error: 503 of `/readyz` stays out of the log."""

import logging


class NotReadiness(logging.Filter):
    """Drops what Django logs about answers of `/readyz`; the answer itself says what is missing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is kept."""
        return getattr(getattr(record, "request", None), "path", "") != "/readyz"
