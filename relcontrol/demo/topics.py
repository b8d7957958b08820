"""What the demo's lawyers are asked: six slices, each with its questions and what good and bad answers say.

Questions are every combination of a matter with a party, so that each is one of its own. None of it is legal advice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product


@dataclass(frozen=True, slots=True)
class Topic:
    """One slice. `count` questions are asked; texts have the slots {matter} and {party}.

    `agreement` is how closely judge and experts agree on the release that passed and on the one that did not.
    """

    slug: str
    name: str
    description: str
    threshold: str
    count: int
    agreement: tuple[float, float]
    question: str
    matters: tuple[str, ...]
    parties: tuple[str, ...]
    good: str
    caution: str
    bad: str

    def questions(self) -> Iterator[tuple[str, str]]:
        """(matter, party) of each question, in order."""
        return islice(product(self.matters, self.parties), self.count)


TOPICS = (
    Topic(
        slug="contract-drafting",
        name="Contract drafting",
        description="Clauses to be written or mended.",
        threshold="0.65",
        count=212,
        agreement=(0.70, 0.71),
        question="Draft {matter} for {party}.",
        matters=(
            "a termination clause with three months' notice",
            "a limitation of liability that survives review",
            "a confidentiality clause that lets auditors read the papers",
            "a price adjustment clause tied to an index",
            "an assignment clause that allows a sale of the business",
            "a force majeure clause that names epidemics",
            "an audit clause with ten days' warning",
            "a governing law and venue clause",
            "a retention of title clause",
            "a non-solicitation clause of twelve months",
            "a warranty clause for used machines",
            "a payment clause with interest on arrears",
            "a change control clause for extra work",
            "an escrow clause for source code",
        ),
        parties=(
            "a two-year services agreement",
            "a supply contract between merchants",
            "a lease of office space",
            "a software maintenance contract",
            "a joint development agreement",
            "a distribution agreement for Benelux",
            "a consultancy of one person",
            "a framework agreement with a hospital",
            "a logistics contract with a carrier",
            "a research contract with a university",
            "an agency agreement",
            "a construction contract",
            "a franchise agreement",
            "a data processing agreement",
            "a catering contract",
            "a manufacturing contract",
        ),
        good="Here is {matter} for {party}. It names who may act, in which form and by when, says what survives the "
        "end, and leaves liability for intent untouched.",
        caution="If the contract leaves the notice address open, add it, since notice counts from its arrival.",
        bad="Here is {matter} for {party}. It excludes all liability whatsoever and needs no form.",
    ),
    Topic(
        slug="statutory-interpretation",
        name="Statutory interpretation",
        description="What a provision means and covers.",
        threshold="0.65",
        count=160,
        agreement=(0.73, 0.74),
        question="The act speaks of {matter}. Does that cover {party}?",
        matters=(
            "“vehicles” in a park",
            "“goods of a similar kind”",
            "notice “within fourteen days”",
            "“dwelling” without a definition",
            "“in writing” since before e-mail",
            "“dangerous animals”",
            "“public performance”",
            "“employee” in its second part",
            "“waste” after treatment",
            "“immediate family”",
        ),
        parties=(
            "an electric wheelchair",
            "a downloaded program",
            "the day of the event itself",
            "a houseboat on a fixed mooring",
            "a message that was never opened",
            "a guide dog in training",
            "music in a waiting room",
            "a partner who works without pay",
            "heat that is left over",
            "a foster child",
            "a trailer without an engine",
            "a subscription box",
            "a tenant's cousin",
            "an unpaid trial day",
            "a drone under 250 grams",
            "a shared bicycle",
        ),
        good="Probably yes for {party}, by purpose rather than by wording: {matter} is read with its neighbours in "
        "the list and with what the act protects against.",
        caution="If the act has a definition section that is not quoted here, that decides instead.",
        bad="{party} is covered, as the dictionary says so of {matter}.",
    ),
    Topic(
        slug="case-summarization",
        name="Case summarization",
        description="Judgments in short: facts, holding, reasons.",
        threshold="0.65",
        count=188,
        agreement=(0.68, 0.69),
        question="Summarise the judgment: {party} {matter}.",
        matters=(
            "withheld rent because the heating failed; the court allowed half",
            "lost sealed goods of undeclared value; liability was capped",
            "forwarded client files to a private address; dismissal was upheld",
            "advertised a price that was a misprint; no contract was found",
            "left out an illness in the application; cover was refused in part",
            "built over the boundary by a hand's breadth; damages, no removal",
            "copied a database by automated queries; an injunction was granted",
            "relied on a forged mandate; the principal was not bound",
            "terminated during a trial period without a hearing; void",
            "paid twice by mistake; restitution less costs",
            "delivered a day late under a fixed date; rescission was allowed",
            "spoke of a guarantee in an e-mail; it was held to be one",
        ),
        parties=(
            "A tenant",
            "A carrier",
            "An employee",
            "A web shop",
            "An insured couple",
            "A builder",
            "A competitor",
            "A buyer of machines",
            "A hospital",
            "A bank",
            "A nursery school",
            "A shipping agent",
            "A small brewery",
            "A housing association",
            "A freelance designer",
            "A fishing cooperative",
        ),
        good="Facts: {party} {matter}. Holding and ratio follow from the duty that was breached; the court weighed "
        "what the other side could have known.",
        caution="The decision was on appeal when this was written; check whether it stands.",
        bad="{party} {matter}. The court agreed with everybody.",
    ),
    Topic(
        slug="regulatory-compliance",
        name="Regulatory compliance",
        description="Duties towards authorities, and their dates.",
        threshold="0.65",
        count=141,
        agreement=(0.67, 0.66),
        question="{party} {matter}. What must it do, and by when?",
        matters=(
            "found a leak of personal data on Friday evening",
            "wants to send a newsletter to everybody who bought once",
            "learns that a medical device it sells has burnt a user",
            "will store customers' identity cards",
            "starts to screen applicants with a language model",
            "ships batteries to three member states",
            "has missed the filing of its annual accounts",
            "wants to move its servers outside the Union",
            "is asked by an authority for five years of e-mail",
        ),
        parties=(
            "A clinic of twelve people",
            "A regional bank",
            "A toy importer",
            "A temp agency",
            "A maker of heat pumps",
            "A telecom reseller",
            "A football club",
            "A municipal utility",
            "A publisher",
            "A mail-order pharmacy",
            "A car-sharing start-up",
            "A charity",
            "A wholesaler of chemicals",
            "A school book platform",
            "A dental laboratory",
            "A wind farm operator",
        ),
        good="{party} acts within the statutory period, which runs from knowledge and over weekends: notify, keep the "
        "record, and give reasons for any delay. It {matter}, so the register entry is due as well.",
        caution="Where a sector authority has its own form, use that one.",
        bad="{party} may wait until the next quarter.",
    ),
    Topic(
        slug="jurisdictional-analysis",
        name="Jurisdictional analysis",
        description="Which court, which law.",
        threshold="0.6",
        count=96,
        agreement=(0.61, 0.62),
        question="{party} {matter}. Which court may hear it, and by which law?",
        matters=(
            "sues over goods delivered to Ghent",
            "was libelled on a site run from Oslo",
            "wants to enforce a judgment against assets in Norway",
            "signed online terms that name English law",
            "was injured by a rental car in Trento",
            "has a contract with a venue clause that one side did not sign",
        ),
        parties=(
            "A buyer in Lyon",
            "A consumer in Vienna",
            "A German company",
            "A seller in Porto",
            "An heir in Basel",
            "A carrier from Gdańsk",
            "An artist in Antwerp",
            "A hotel on Crete",
            "A student from Cork",
            "A bank in Luxembourg",
            "A fleet owner in Malmö",
            "A vineyard in Styria",
            "A clinic in Ljubljana",
            "A wholesaler in Turin",
            "A shipyard in Split",
            "A publisher in Tallinn",
        ),
        good="{party} {matter}: the defendant's domicile or the place of performance, a valid venue clause first; "
        "mandatory rules of the weaker side's residence stay.",
        caution="If the claim is not in contract alone, the place of the damage opens a second court.",
        bad="{party} may choose any court and any law.",
    ),
    Topic(
        slug="ip-licensing",
        name="IP licensing",
        description="What a licence lets its holder do: scope, sublicensing, royalties, termination. Not infringement.",
        threshold="0.65",
        count=84,
        agreement=(0.68, 0.41),
        question="{party} holds {matter}. The agreement is silent on it: what may be done?",
        matters=(
            "a non-exclusive patent licence and wants a subsidiary to make the product",
            "a software licence and has sold the division that uses it",
            "an exclusive licence and wants to grant a sublicence",
            "a trade mark licence and wants to print the mark on a new product line",
            "a licence whose royalties run beyond the patent",
            "a copyleft library inside a product that it ships",
        ),
        parties=(
            "Our client",
            "A German parent company",
            "A start-up after its second round",
            "A medical device maker",
            "A game studio",
            "A university spin-off",
            "A car supplier",
            "A fashion house",
            "A chip designer",
            "A streaming service",
            "A seed breeder",
            "A museum shop",
            "A robotics firm",
            "A payment provider",
        ),
        good="Not under this agreement as written. {party} holds {matter}; silence gives no right beyond the words, so "
        "ask the licensor for an amendment before anything is done.",
        caution="Check first whether a national patent exists where the product is made.",
        bad="Yes, in most cases. {party} holds {matter}; such a licence generally extends to the licensee's group. No "
        "amendment is needed.",
    ),
)

# Another application's only slice: relcontrol answers its questions and judges the answers itself.
DESK = Topic(
    slug="clause-review",
    name="Clause review",
    description="A clause that somebody else has drafted: what is wrong with it, and what to write instead.",
    threshold="0.65",
    count=64,
    agreement=(0.7, 0.7),
    question="We were sent {matter} in {party}. What should be changed?",
    matters=(
        "a liability cap of one month's fee",
        "an indemnity without a limit in time",
        "a renewal clause that nobody may stop",
        "a confidentiality clause for one side only",
    ),
    parties=(
        "a hosting contract",
        "a licence for hospital software",
        "a lease of laboratory space",
        "a consultancy agreement",
        "a joint venture agreement",
        "a framework for temporary workers",
        "a contract with a data centre",
        "a supply contract for batteries",
        "a sponsorship agreement",
        "an agreement with a reseller",
        "a maintenance contract for lifts",
        "a contract with a translator",
        "a research agreement",
        "a fleet leasing contract",
        "a marketing agreement",
        "a catering contract",
    ),
    good="Change {matter}: in {party} it shifts a risk that the other side controls. Propose the same rule for both "
    "sides, a limit in money and in time, and carve out intent and gross negligence, which no clause may exclude.",
    caution="Say which law governs, since standard terms are reviewed more strictly in some of them.",
    bad="{matter} is usual in {party} and may stay as it stands.",
)
