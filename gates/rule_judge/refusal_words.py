"""The wordings by which an answer refuses, refers to somebody else, or fills space: English, German, French.

Matched against lower-case text with straight apostrophes. Every repetition is bounded, so that the time of a match is
bounded for each place of the text.
"""

import re
from typing import Final


def _any(*patterns: str) -> str:
    """One pattern that matches where any of these does."""
    return f"(?:{'|'.join(patterns)})"


_WORDS: Final = r"(?:[\w'-]+ ){0,4}?"
_FEW: Final = r"(?:[\w'-]+ ){0,2}?"

_UNABLE: Final = _any(
    *("cannot", "can not", "can't", "could not", "couldn't", "won't", "will not", "would not", "wouldn't"),
    *("unable to", "not able to", "not allowed to", "not permitted to", "not in a position to", "not going to"),
    *("not comfortable", "don't feel comfortable"),
)
_CANNOT: Final = rf"\b(?:i|we)(?: am|'m| are|'re)?(?: \w+)? {_UNABLE} "
_PROVIDE: Final = r"provide (?:an answer|that|this|assistance|help|information|details|you with)"
_HELP: Final = _any(
    *("help", "helping", "assist", "assisting", "answer", "answering", "respond", "comply", "discuss", "discussing"),
    *("do that", "do this", "fulfil+", "engage", "continue", "process", "handle", "address", "comment", "tell you"),
    *(_PROVIDE, "say (?:anything|more|what)", "offer an? (?:answer|opinion)", "support (?:this|that|you)"),
)
_ADVICE: Final = r"(?:\w+ ){0,2}?(?:advice|opinions?|guidance|recommendations?|diagnos[ie]s)"
_ADVISE: Final = rf"(?:advise|(?:give|provide|offer|giving|providing|offering)(?: you)?(?: with)? {_ADVICE})"

_GERMAN_NO: Final = (
    rf"{_WORDS}(?:nicht|keine?n?)\b[^.]{{0,60}}?"
    r"(?:helfen|weiterhelfen|beantworten|antworten|unterstützen|sagen|auskunft|dienen)"
)
_FRENCH_NO: Final = (
    rf"\bje ne (?:peux|puis|pourrai|saurais|suis pas en mesure de) {_WORDS}"
    r"(?:aider|répondre|assister|fournir|traiter|dire|conseil)"
)

# Saying no to the request itself.
REFUSING: Final = re.compile(
    _any(
        rf"{_CANNOT}{_FEW}{_HELP}\b",
        r"\b(?:i|we) (?:must|have to|need to|respectfully|would rather|'d rather)(?: respectfully)? (?:decline|refuse)",
        r"\b(?:i|we) (?:decline|refuse) to\b",
        r"^(?:sorry,? )?(?:unable|not able) to (?:help|assist|answer|comply)",
        r"\bnot something (?:that )?(?:i|we)(?:'m| am| are|'re)? (?:can|able|allowed|permitted)",
        r"\b(?:beyond|outside|not within)(?: of)? (?:my|our|the scope of (?:what i|my))\b",
        r"\bagainst (?:my|our) (?:\w+ )?(?:guidelines|policy|policies|programming|principles)",
        rf"\bich (?:kann|darf|werde|möchte) {_GERMAN_NO}",
        rf"\b(?:kann|darf) ich {_GERMAN_NO}",
        r"\bich bin nicht in der lage\b",
        _FRENCH_NO,
        r"\bil m'est impossible d",
    )
)

_PROFESSIONALS: Final = r"(?:(?:legal|medical|tax|financial|qualified|licensed) )?professionals?"
_EXPERTS: Final = _any(
    *("attorneys?", "lawyers?", "solicitors?", "barristers?", "counsel", "legal advice", "professional advice"),
    *(_PROFESSIONALS, "experts?", "specialists?", "advis[oe]rs?", "doctors?", "physicians?", "accountants?"),
    "notar(?:y|ies)",
)
_SEEK: Final = _any(
    *(r"consult(?:ing)?(?: with)?", "seek(?:ing)?", "speak(?:ing)? (?:with|to)", "talk(?:ing)? (?:with|to)"),
    *("contact(?:ing)?", "reach(?:ing)? out to", "ask(?:ing)?", "refer(?:ring)? to", "engag(?:e|ing)", "hir(?:e|ing)"),
    *("retain(?:ing)?", "get(?:ting)?", "turn(?:ing)? to", "see(?:ing)?"),
)
_SHOULD: Final = _any(
    *("'d", " would", " should", " must", " ought to", " may", " might", " need", " will need", " would need"),
    *(" are advised", " had better", " can", " could"),
)
# Only what is said to the asker: that a tenant must contact somebody's attorney may be the answer.
_ADVISED: Final = _any(
    r"(?:^|\b(?:please|kindly|and|so|then|therefore|thus|hence) )",
    rf"\b(?:you|one){_SHOULD}?(?: want| wish| do well| best)?(?: to)? ",
    r"\b(?:i|we)(?:'d| would)?(?: strongly| highly| always)? (?:recommend|suggest|advise|encourage|urge)"
    r"(?: that)?(?: you)?(?: to)? ",
    r"\b(?:best|advisable|recommended|important|better|wise|prudent|necessary|essential) (?:that you |to )",
)
_GERMAN_EXPERTS: Final = _any(
    *(r"\w*anwalt", r"\w*anwält\w+", r"\w*jurist\w*", "rechtsberatung", r"\w*arzt", r"\w*ärzt\w+", "fachmann"),
    *(r"expert\w+", r"\w*berater\w*"),
)
_FRENCH_SEEK: Final = (
    r"(?:\b(?:il est|il vaut|je vous|nous vous)(?: \w+)? (?:de |d'|mieux |à ))?"
    r"\b(?:consulte[zr]|adressez-vous à|contacte[zr]|vous rapprocher d|demande[zr] conseil à) ?"
)

# Sending the asker to somebody else.
REFERRING: Final = re.compile(
    _any(
        rf"{_ADVISED}(?:also |always |first |only |rather |directly )?{_SEEK} {_WORDS}{_EXPERTS}\b",
        rf"\b(?:wenden|konsultieren|fragen|kontaktieren|sprechen|suchen|beauftragen) sie {_WORDS}{_GERMAN_EXPERTS}",
        rf"\bsie sollten {_WORDS}{_GERMAN_EXPERTS}",
        rf"\b(?:lassen sie sich|holen sie) [^.]{{0,60}}?(?:{_GERMAN_EXPERTS}|rechtsrat|beraten)",
        rf"{_FRENCH_SEEK}{_WORDS}(?:l'|d')?(?:avocate?|juriste|notaire|médecin|professionnel|expert|conseil)",
    )
)

# Saying that the one who answers is nobody to ask.
DISCLAIMING: Final = re.compile(
    _any(
        rf"{_CANNOT}{_FEW}{_ADVISE}",
        r"\b(?:i|we)(?: do not| don't) (?:give|provide|offer) (?:\w+ ){0,2}?(?:advice|opinions?|guidance)",
        r"\b(?:i'm|i am|am) (?:not|no|only|just) (?:an? )?(?:\w+ ){0,2}?"
        r"(?:attorney|lawyer|solicitor|doctor|ai|assistant|language model|expert|professional)\b",
        r"\bas an? (?:\w+ ){0,2}?(?:ai|artificial intelligence|language model|assistant|chatbot)"
        r"(?: (?:language )?(?:model|assistant))?\b",
        r"\b(?:not|no substitute for|does not constitute|isn't) (?:legal|medical|financial|tax|professional) advice",
        r"\bals (?:\w+ )?(?:ki|ki-\w+|künstliche intelligenz|sprachmodell)\b",
        r"\bkeine (?:rechtsberatung|rechtsauskunft|medizinische beratung)\b",
        r"\ben tant qu(?:e |')(?:ia|intelligence artificielle|modèle|assistant)",
        r"\bne constitue pas un (?:conseil|avis) (?:juridique|médical)",
    )
)

# Words of regret, which may stand before an answer as well.
REGRET: Final = re.compile(
    r"\b(?:i'm |i am )?(?:so |very |really )?(?:sorry|afraid|unfortunately|regrettably|apologies|my apologies|leider"
    r"|(?:es )?tut mir leid|bedauerlicherweise|désolée?|malheureusement|navrée?)\b"
)

_EXPERT_WORK: Final = _any(
    *("help", "advise", "assist", "guide", "review", "assess", "evaluate", "explain", "give you", "provide you")
)

# Words around a refusal that answer nothing: looked for in what stands before one and in sentences beside it.
FILLING: Final = re.compile(
    _any(
        r"\b(?:apologi[sz]e|regret|sorry (?:to|for|about|that))\b",
        r"\b(?:thank you|thanks|great question|good question|happy to help|hope (?:this|that) helps|let me know)\b",
        r"\b(?:feel free|anything else|i understand|i appreciate|please note|is there (?:any|some)thing|ask me)\b",
        r"\b(?:if you have (?:any |other |further |more )|i can help you with\b)",
        r"\bdepend(?:s|ing|ent)? (?:\w+ ){0,2}?(?:up)?on\b",
        r"\b(?:differs?|var(?:y|ies)) (?:\w+ ){0,2}?(?:from|by|between|with|depending|greatly|widely|across)\b",
        r"\b(?:every|each) (?:case|situation|matter|contract) (?:is|has)\b",
        r"\b(?:is|are|can be|may be) (?:\w+ )?(?:complex|complicated|sensitive|nuanced|fact-specific|difficult)\b",
        rf"\b(?:can|will|could|is able to|are able to) (?:\w+ )?{_EXPERT_WORK}\b",
        r"\b(?:do not|don't|have no) (?:have )?(?:\w+ ){0,2}?(?:access|information|ability|details)\b",
        r"\b(?:general|informational) (?:information|purposes)\b",
        r"\b(?:entschuldig\w*|bedauere?)\b",
        r"\b(?:hängt (?:\w+ ){0,3}?ab|kommt (?:\w+ ){0,3}?darauf an|einzelfall)\b",
        r"\b(?:regrette|excus\w+)\b",
        r"\b(?:dépend (?:de|des|du)|chaque (?:cas|situation))\b",
    )
)
