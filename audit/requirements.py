"""The requirement map: which receipts, fields and pages are evidence for which requirement. Pure.

The page, the API and the appendix of the PDF report all show this one list. Where law or standard ask for something
that no receipt can show, the map says so.
"""

from typing import Final

from audit.requirement_map import eu_ai_act, gdpr, hipaa, nist_ai_rmf
from audit.requirement_map.requirement import Requirement

__all__ = ["NOTE", "Requirement", "requirements"]

NOTE: Final = (
    "An engineering reading, not legal advice. It says where relcontrol leaves evidence that bears on a requirement; "
    "whether the requirement applies to you, and whether the evidence is enough, is for your own counsel to say."
)


def requirements() -> tuple[Requirement, ...]:
    """All of them, frame by frame."""
    return (*eu_ai_act.REQUIREMENTS, *gdpr.REQUIREMENTS, *hipaa.REQUIREMENTS, *nist_ai_rmf.REQUIREMENTS)
