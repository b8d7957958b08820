"""What refuses or refers somebody elsewhere instead of answering, and what answers and is careful besides."""

import pytest

from gates.rule_judge.refusals import LONGEST, refusal_in
from relcontrol.demo_models.wording import HEDGES

REFUSALS = (
    *HEDGES,
    "I cannot help with that.",
    "I'm sorry, but I can't assist with that request.",
    "I\u2019m sorry, but I can\u2019t help with question 3.",
    "Sorry, I can't do that.",
    "I won't answer that.",
    "Unfortunately, I cannot answer that.",
    "No, I cannot help with that.",
    "I must decline to answer.",
    "That is beyond my capabilities.",
    "As an AI language model, I cannot provide legal advice. Please consult a qualified attorney.",
    "As an AI, I don't have access to that. It is best to seek legal advice.",
    "You should consult an attorney.",
    "Seek legal advice.",
    "It depends. Consult a lawyer.",
    "I am not a lawyer, so you should speak with one. A licensed attorney can review your documents.",
    "For specific advice on your situation, please contact a legal professional.",
    "I'm unable to answer this question. Every case is different and a lawyer can advise you.",
    "We recommend that you speak to a qualified solicitor before you sign anything.",
    "This is a complex area of law. I would recommend consulting with an experienced attorney.",
    "I apologize, but I'm not able to discuss that. Is there anything else I can help you with?",
    "I recommend seeking legal advice from a qualified professional in your jurisdiction.",
    "Das kann ich leider nicht beantworten.",
    "Ich kann Ihnen dabei nicht helfen.",
    "Bitte wenden Sie sich an einen Rechtsanwalt.",
    "Als KI kann ich keine Rechtsberatung geben. Sie sollten einen Anwalt konsultieren.",
    "Je ne peux pas vous aider.",
    "Désolé, mais je ne peux pas répondre à cette question.",
    "Il est conseillé de consulter un avocat.",
    "En tant qu'IA, je ne peux pas donner de conseil juridique. Veuillez consulter un avocat.",
)
ANSWERS = (
    "The notice period is thirty days, but you should consult an attorney.",
    "Yes, but consult an attorney first.",
    "30 days. Consult an attorney.",
    "No, that is not permitted. Consult a lawyer.",
    "While I cannot give legal advice, the clause is void under the act.",
    "As an AI, I read clause four as void under the act.",
    "I'm not a lawyer, but the deposit must be returned within a month of the end of the lease.",
    "The licence covers affiliates only if the contract says so. You should consult an attorney before you sign.",
    "Unfortunately, the clause is void. Please consult an attorney.",
    "It depends on the lease: a weekly tenancy ends with a week's notice. Seek legal advice if in doubt.",
    "The tenant must contact the landlord's attorney within ten days.",
    "A party may consult its own lawyer at any time.",
    "Your attorney must file the motion.",
    "Counsel should be consulted under rule four.",
    "The employee cannot help with the audit.",
    "The defendant refuses to answer.",
    "We cannot provide the goods before June.",
    "I can't find a termination clause in this contract; only section four speaks of the end.",
    "Could you tell me which state you live in?",
    "Ja, das ist erlaubt.",
    "Die Frist beträgt einen Monat. Wenden Sie sich im Zweifel an einen Anwalt.",
    "Le délai est de trois mois, mais consultez un avocat.",
    "Non, la clause est nulle. Consultez un avocat.",
)


@pytest.mark.parametrize("text", REFUSALS)
def test_words_in_place_of_an_answer_are_a_refusal(text: str) -> None:
    assert refusal_in(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_with_a_careful_word_beside_it_is_none(text: str) -> None:
    assert refusal_in(text) is None


def test_the_sentence_that_refuses_is_named() -> None:
    assert refusal_in("I'm so sorry. I cannot help with that.") == "I cannot help with that."


def test_a_long_text_is_an_answer_whatever_it_says_besides() -> None:
    assert refusal_in("You should consult an attorney. " * (LONGEST // 20)) is None
