"""Claims, and what tells whether they hold."""

from __future__ import annotations

from similia.evaluate.datasets.entry import Entry
from similia.evaluate.datasets.readers import claims

TDMATCH = "naserahmadi/TDmatch @ 21162b9611fad8f8b0d7dd71dadc73f0e4a8778d"
LICENCE = "none stated in the repository"
PACKED = "claim_matching/politifact_corona_dev.tar.xz"
SHA256 = "be0144cfa4044a711d7c5346ddc6c72e71907bdac41bd130c10f7435f5405e1f"
DERIVED = "judgments and original texts were pickles of plain strings, given as JSON; nothing else was changed"

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="politifact",
        about="482 claims of politicians, 16,253 statements that PolitiFact checked",
        kind="retrieval",
        origin=f"{TDMATCH} : data/politifact",
        licence=LICENCE,
        packed=PACKED,
        sha256=SHA256,
        unpacked="claim_matching",
        patterns=(
            "politifact/politi_facts.csv",
            "politifact/politi_facts_original_text.json",
            "politifact/politi_GT.json",
        ),
        content="9c5e2d3b238b88be94bb90cf99b64454679cee1bc871b94bbadaec15a2473909",
        read=claims.fact_checks,
        notes="claims are lower-cased and documents are not; what else was checked may bear on a claim unjudged",
        derived=DERIVED,
    ),
    Entry(
        name="snopes",
        about="997 claims, 10,381 fact-checks of Snopes",
        kind="retrieval",
        origin=f"{TDMATCH} : data/snopes",
        licence=LICENCE,
        packed="claim_matching/*.tar.xz",
        sha256=None,
        unpacked="claim_matching",
        patterns=("*snopes/*facts.csv", "*snopes/*.json"),
        content=None,
        read=claims.fact_checks,
        notes="no checksum is known; read like politifact",
        derived=DERIVED,
    ),
    Entry(
        name="corona_claims",
        about="claims on COVID-19 to mid 2020, 1,158 rows of a table of countries that they rest on",
        kind="retrieval",
        origin=f"{TDMATCH} : data/corona",
        licence=LICENCE,
        packed=PACKED,
        sha256=SHA256,
        unpacked="claim_matching",
        patterns=("corona/claims_USR.csv", "corona/corona_tables.csv", "corona/corona_GT.json"),
        content="07a0d682f6f4213c35638913284f44bc031a282931a047ab5fdf5c2bb2468f1a",
        read=claims.corona,
        splits=("user", "generated"),
        notes="countries go by several names (us, usa, united states), each a row, and not all are judged",
        derived=DERIVED,
    ),
)
