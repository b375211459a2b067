"""Papers, one record each."""

from __future__ import annotations

from similia.evaluate.datasets.entry import Entry
from similia.evaluate.datasets.places import Files
from similia.evaluate.datasets.readers import papers

ARXIV = "arXiv metadata CC0"
ARXIV_ARCHIVE = "staeiou/arxiv_archive @ f043eb1d71da6ed2fb9eac63ab8707359ff606ea"


def _category(category: str, date: str, sha256: str, content: str) -> Files:
    return Files(
        f"papers_arxiv_to2019/{category}_{date}_dev.tsv.xz",
        sha256,
        "papers_arxiv_to2019",
        (f"{category}.tsv.xz",),
        content,
    )


def _unknown_category(category: str) -> Files:
    return Files(f"papers_arxiv_to2019/{category}_*.tsv.xz", None, "papers_arxiv_to2019", (f"{category}*.tsv*",), None)


def _unknown_keyphrases(folder: str) -> Files:
    patterns = (f"{folder}/docsutf8/*.txt", f"{folder}/keys/*.key")
    return Files(f"paper_keyphrases/{folder}*.zip", None, "paper_keyphrases", patterns, None)


CATEGORIES = {
    "cs.CL": _category(
        "cs.CL",
        "20190101",
        "00e8e16b179649f2fbfebaa0ff6301a6f7a6333fc9c3ca522d49f9422543749a",
        "07eb23a2382f2a2ce0d4ab5776aef52a4237a65d2850864020dbf23c81bc4fb3",
    ),
    "cs.DB": _category(
        "cs.DB",
        "20200101",
        "29972964bb92d496d1264df3c5715159ec7974f33f575622987721616e2861fe",
        "b3b701d4decafc67c166dc2b02cca167d6be6715684c881375bfd9ff1b2448b4",
    ),
    "cs.IR": _category(
        "cs.IR",
        "20200101",
        "49452741e7d11a72e12ad1b1a6415cc6fde45abaf2ca3d8838b0fbcfe5d34935",
        "18bc3f8414c119764b83c269be84b90b6166d5951defa88eb7697f24b58ce3c1",
    ),
    "cs.MM": _category(
        "cs.MM",
        "20200101",
        "d7f17682d9ac427e932282f7640a6a3020c3035afba1df69227aa9820b72a303",
        "2ca2940b06fd4096cb5099a5e3cc8e01cdcc8a8d171344d144021af73bda4780",
    ),
    "cs.SD": _category(
        "cs.SD",
        "20200101",
        "7a998c29dc66940191565906c6a2c2b89cc0668cdf29ef1ec0deac9f20c13c01",
        "3ce8091e194c98ec71d29bfb728e1dbc2ac7ddd25b2d65b4ae500e04bf0ece0d",
    ),
    **{category: _unknown_category(category) for category in ("cs.HC", "cs.DL", "physics.med-ph")},
}

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="papers",
        about="24,318 arXiv abstracts, 2025-03 to 2026-03, mostly cs.CL and cs.AI",
        kind="records",
        origin="dw-dengwei/daily-arXiv-ai-enhanced @ b4c542b7d61bff39f8b999b45b43f62b2bb94f75 : data/*.jsonl",
        licence=ARXIV,
        packed="papers_arxiv_daily/arxiv_2025-03_2026-03_dev.jsonl.xz",
        sha256="650a02650866603941ede7865abe1dfd06b746406e5ca695d296fe530af0b312",
        unpacked="papers_arxiv_daily",
        patterns=("arxiv_2025-03_2026-03_dev.jsonl",),
        content="24e3e964cd60fcdc1664c14422c6f96f2340f15fc92a8827dcd1a544effc8905",
        read=papers.papers,
        derived="one JSON line an arXiv id with the fields id, date, primary, categories, title, abstract and comment; "
        "the first day kept, authors and AI summaries dropped",
    ),
    Entry(
        name="papers_ir",
        about="6,767 arXiv abstracts of cs.IR, to 2019; the split cs.IR of papers_archive",
        kind="records",
        origin="staeiou/arxiv_archive @ f043eb1d71da6ed2fb9eac63ab8707359ff606ea : processed_data/20200101",
        licence=ARXIV,
        packed="papers_arxiv_to2019/cs.IR_20200101_dev.tsv.xz",
        sha256="49452741e7d11a72e12ad1b1a6415cc6fde45abaf2ca3d8838b0fbcfe5d34935",
        unpacked="papers_arxiv_to2019",
        patterns=("cs.IR.tsv.xz",),
        content="18bc3f8414c119764b83c269be84b90b6166d5951defa88eb7697f24b58ce3c1",
        read=papers.archive,
    ),
    Entry(
        name="papers_archive",
        about="arXiv abstracts to 2019 (cs.CL to 2018), a category a split",
        kind="records",
        origin=f"{ARXIV_ARCHIVE} : processed_data/20200101/per_category (cs.CL: 20190101)",
        licence=ARXIV,
        packed=CATEGORIES["cs.CL"].packed,
        sha256=CATEGORIES["cs.CL"].sha256,
        unpacked="papers_arxiv_to2019",
        patterns=CATEGORIES["cs.CL"].patterns,
        content=CATEGORIES["cs.CL"].content,
        read=papers.archive,
        splits=tuple(CATEGORIES),
        parts=CATEGORIES,
        notes="a paper of several categories is in several splits; no checksums of cs.HC, cs.DL and physics.med-ph are "
        "known",
    ),
    Entry(
        name="paper_keyphrases",
        about="abstracts with the keyphrases that authors or readers gave them: inspec 2,000, www 1,330",
        kind="records",
        origin="LIAAD/KeywordExtractor-Datasets @ 8cd1e18ab750143e2075457ef5e0481754e3e966 : datasets/*.zip",
        licence="none stated in the repository (each set cites its paper)",
        packed="paper_keyphrases/Inspec_dev.zip",
        sha256="0868ca0753b69bcea9132def9f2a65c087bca39fc0360d82905e3debb0bf4de2",
        unpacked="paper_keyphrases",
        patterns=("Inspec/docsutf8/*.txt", "Inspec/keys/*.key"),
        content="d1f4aedb4349eca5209d88ce96cf0da651a6a77b39d2f184cebb8e303c86ce9e",
        read=papers.keyphrases,
        splits=("inspec", "www", "kdd", "semeval2017"),
        parts={
            "www": Files(
                "paper_keyphrases/www_dev.zip",
                "ea72f3b65f2c6bc98ab9df25625856958bf05efb2ffa9989da74091ca4abaec9",
                "paper_keyphrases",
                ("www/docsutf8/*.txt", "www/keys/*.key"),
                "5efcac083c64f7a444868c0991722e79be50ec517987915cb7b315e71ed344a5",
            ),
            "kdd": _unknown_keyphrases("kdd"),
            "semeval2017": _unknown_keyphrases("SemEval2017"),
        },
        notes="not every keyphrase occurs in its text; no checksums of kdd and semeval2017 are known",
    ),
)
