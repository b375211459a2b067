"""The classic test collections, and NFCorpus."""

from __future__ import annotations

from similia.evaluate.datasets.entry import Entry
from similia.evaluate.datasets.places import Files
from similia.evaluate.datasets.readers import classic

GLASGOW = "Glasgow IR test collections: free for research"
IR_PROJECT = "fbergh/IR_Project @ e34a57a807fd9622d8b62e0d4c390e6d181723fc"
UNKNOWN = "no checksum is known; "


def _classic(
    name: str, folder: str, about: str, files: tuple[str, ...], sha256: str | None, content: str | None, notes: str
) -> Entry:
    return Entry(
        name=name,
        about=about,
        kind="retrieval",
        origin=f"{IR_PROJECT} : data/{folder}",
        licence=GLASGOW,
        packed=f"ir_classic/{folder}_dev.tar.xz" if sha256 else f"ir_classic/{folder}*.tar.xz",
        sha256=sha256,
        unpacked=f"ir_classic/{folder}",
        patterns=files,
        content=content,
        read=getattr(classic, {"npl": "vaswani"}.get(name, name)),
        notes=notes,
    )


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="nfcorpus",
        about="medical retrieval: lay titles as queries, 3,193 technical abstracts, graded judgments",
        kind="retrieval",
        origin="WeberNick/vector-space-retrieval @ 39c4b09ec59ab1974abc28309cd2c3c82f2f7a0c : data",
        licence="NFCorpus: free for academic use (StatNLP Heidelberg)",
        packed="nfcorpus/nfcorpus_dev.tar.xz",
        sha256="60cc0a773a5843f86d3f00fbec84f93c509a231ad3f4cc6869c0e53b14471bd9",
        unpacked="nfcorpus",
        patterns=("dev/raw/d-collection.docs", "dev/raw/q-titles.queries", "dev/raw/s-3.qrel"),
        content="5cabf3f41515d802d170c023224f8a569ef28b64e107aa126341eaa4fc9af433",
        read=classic.nfcorpus,
        splits=("dev", "test"),
        parts={
            "test": Files(
                "nfcorpus/*.tar.xz",
                None,
                "nfcorpus",
                ("*test/raw/d-collection.docs", "*test/raw/q-titles.queries", "*test/raw/s-3.qrel"),
                None,
            )
        },
        notes="documents are lower-cased and without stop words: a handicap for sentence encoders; "
        "of the 3,162 documents of test most are in dev, and no checksum of test is known",
    ),
    _classic(
        "cranfield",
        "cran",
        "aerodynamics: 1,400 abstracts, 225 questions, graded judgments",
        ("cran.all.1400", "cran.qry", "cran.qrels"),
        "9e899860a31ad1b16ababa96a0a3be9d9362206be5b3e31d205ae829ba2d5c92",
        "b69c7d7b06bbee9b7c61282f8f3cbd2f6bf0574307ef0dc207b2ed7d27d9c452",
        "judgments number the queries by their place in the file; code -1 (the asker's own paper) is not relevant",
    ),
    _classic(
        "cisi",
        "cisi",
        "information science: 1,460 abstracts, 76 judged and long questions",
        ("CISI.ALL", "CISI.QRY", "CISI.REL"),
        "037f0d2ebae3f82eebb2f0352bc0f93f7fc8aa208b99b860b7df261e9366aada",
        "10e5f1da11f9eeb7689b714b2c14655f56f51f01e0dd0252a6935fec846d5380",
        "41 relevant documents a query in the mean",
    ),
    _classic(
        "cacm",
        "cacm",
        "computing: 3,204 titles, half of them with an abstract, 52 judged questions",
        ("cacm.all", "query.text", "qrels.text"),
        "423146a36a4aeae5bd1d88badd2fa422e8c191ed8d324877275a361a66a65a33",
        "b1611fe8fe96cb7785f39fffe6807167b8984cd4e01fe2c2f93c681c706b687e",
        "authors and citations are not part of the text, though two queries ask for authors",
    ),
    _classic(
        "npl",
        "npl",
        "electronics: 11,429 short abstracts, 93 short questions",
        ("doc-text", "query-text", "rlv-ass"),
        "c32eaaefa9a7a97f2b496d75c08115c0e56436b3ec814f72d3c4eee52878c1af",
        "ded50c9c2d589a70d79cdca5399c987951362e8c6e0418d92c3d10b9d6ac29cb",
        "also known as Vaswani",
    ),
    _classic(
        "adi",
        "adi",
        "information science: 82 documents, 35 questions",
        ("ADI.ALL", "ADI.QRY", "ADI.REL"),
        "dd466a9789c95ef75aed294abee51c7073f2489bd07db66842dddbc0c1110d93",
        "bceb480d7f8216ecc2a2d64a709525d4a3ccc17dd6f75a8e3615bd085433f9b9",
        "tiny; good for tests",
    ),
    _classic(
        "medline",
        "med",
        "medicine: 1,033 abstracts, 30 questions",
        ("*MED.ALL", "*MED.QRY", "*MED.REL"),
        None,
        None,
        UNKNOWN + "23 relevant documents a query in the mean",
    ),
    _classic(
        "lisa",
        "lisa",
        "library and information science: 6,004 abstracts, 35 questions",
        ("*LISA[0-9].[0-9]*", "*LISA.QUE", "*LISA.REL"),
        None,
        None,
        UNKNOWN + "judgments are those of LISA.REL",
    ),
    _classic(
        "time",
        "time",
        "news of 1963: 423 articles, 83 questions",
        ("*TIME.ALL", "*TIME.QUE", "*TIME.REL"),
        None,
        None,
        UNKNOWN + "judgments are taken to give a document by its place in the file",
    ),
)
