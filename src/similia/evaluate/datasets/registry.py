"""The data sets that Similia knows by name: origin, licence, checksums, splits, how to read each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from similia.errors import DatasetMissing, InputError
from similia.evaluate.datasets import readers
from similia.evaluate.datasets.kinds import Dataset, RecordsDataset, RetrievalDataset, TextClassificationDataset
from similia.evaluate.datasets.places import Source, cache_folder, find

ARXIV = "arXiv metadata CC0"
GLASGOW = "Glasgow IR test collections: free for research"
IR_PROJECT = "fbergh/IR_Project @ e34a57a807fd9622d8b62e0d4c390e6d181723fc"


@dataclass(frozen=True)
class Entry:
    """What is known about a data set, whether or not it is on this machine.

    Attributes:
        name: what to load it by.
        about: one line.
        kind: what `load` returns.
        origin: GitHub repository, commit and path.
        licence: as stated by its makers.
        splits: what may be asked for; the first is the default.
        packed: the packed file, in a data folder.
        sha256: of the packed file.
        unpacked: where the files of the origin may lie instead, in a data folder.
        patterns: which of them count.
        content: digest of those.
        notes: what to keep in mind when measuring.
        derived: how the packed file was made, where it is not a copy of files of the origin.
    """

    name: str
    about: str
    kind: Literal["retrieval", "classification", "records"]
    origin: str
    licence: str
    packed: str
    sha256: str
    unpacked: str
    patterns: tuple[str, ...]
    content: str
    read: Callable[[str, Source, str], Dataset]
    splits: tuple[str, ...] = ("all",)
    notes: str = ""
    derived: str = ""

    def how_to_get(self) -> str:
        """What a person does to have the data set on this machine."""
        repository, _, path = self.origin.partition(" : ")
        owner, _, commit = repository.partition(" @ ")
        if self.derived:
            return (
                f"name a folder that holds {self.packed} by SIMILIA_DATA; it was made from {path} of "
                f"https://github.com/{owner} at commit {commit[:12]} ({self.derived}; licence: {self.licence})"
            )
        return (
            f"take {path} of https://github.com/{owner} at commit {commit[:12]} and put {', '.join(self.patterns)} in "
            f"{cache_folder() / 'data' / self.unpacked}, or name a folder that holds {self.packed} by SIMILIA_DATA "
            f"(licence: {self.licence})"
        )

    def source(self) -> Source:
        """The files, found and checked.

        Raises:
            DatasetMissing: they are not on this machine, or not what they should be.
        """
        try:
            return find(
                self.name,
                packed=self.packed,
                unpacked=self.unpacked,
                patterns=self.patterns,
                sha256=self.sha256,
                content=self.content,
            )
        except DatasetMissing as missing:
            raise DatasetMissing(f"{missing}; to get it, {self.how_to_get()}") from None


def _classic(
    name: str, folder: str, about: str, files: tuple[str, ...], sha256: str, content: str, notes: str
) -> Entry:
    return Entry(
        name=name,
        about=about,
        kind="retrieval",
        origin=f"{IR_PROJECT} : data/{folder}",
        licence=GLASGOW,
        packed=f"ir_classic/{folder}_dev.tar.xz",
        sha256=sha256,
        unpacked=f"ir_classic/{folder}",
        patterns=files,
        content=content,
        read=getattr(readers, {"npl": "vaswani"}.get(name, name)),
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
        read=readers.nfcorpus,
        splits=("dev",),
        notes="documents are lower-cased and without stop words: a handicap for sentence encoders",
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
    Entry(
        name="limit_small",
        about="LIMIT-small: 46 documents, 1,000 queries, each pair of documents the answer to some query",
        kind="retrieval",
        origin="google-deepmind/limit @ 90c5dd3a7c3c0d68bc6cc7a0c5b0f4ca124dfdcb : data",
        licence="CC-BY 4.0",
        packed="limit/limit.tar.xz",
        sha256="33d8e71156a6c56e9693ac320fd507a3c605cb02490c623e0319fd077e073e17",
        unpacked="limit",
        patterns=("limit-small/corpus.jsonl", "limit-small/queries.jsonl", "limit-small/qrels.jsonl"),
        content="05f470d84b8edeb0f5344e00c4b7905f42f17712dbbe08a42b092658cf12be86",
        read=readers.limit_small,
    ),
    Entry(
        name="medquad",
        about="medical questions and their answers, from 9 sites of the NIH",
        kind="retrieval",
        origin="abachaa/MedQuAD @ 577bd37b96c02d1833b2c9eed2de9f96964e96cb : the folders 1_* to 9_*",
        licence="CC BY 4.0",
        packed="medquad_liveqa/medquad_dev.tar.xz",
        sha256="cd576ecd31e9b1580a3156f2dd159615bc0dbbd131f03addb0cecf3c302aaeb8",
        unpacked="medquad_liveqa",
        patterns=("[1-9]_*/*.xml",),
        content="f4f86dde1a9d8cbb10eb0436963a63e708c22b4205297ea673eb532d721b989b",
        read=readers.medquad,
        notes="equal questions are one query; each of their answers is relevant",
    ),
    Entry(
        name="ag_news",
        about="7,600 news articles of 4 topics (the test split)",
        kind="classification",
        origin="mhjabreel/CharCnn_Keras @ 555590db4219b1243abb1918effd6a7425a2d75f : data/ag_news_csv",
        licence="AG corpus: non-commercial research",
        packed="ag_news/test.csv.xz",
        sha256="0a9c7e3b54b247cf9aa0c68fec8c25056ab2b189284116aa71595380054d37d3",
        unpacked="ag_news",
        patterns=("test.csv",),
        content="cea667622349b56c895a8c77607231918b7c2c47bdba11fcf15ef54e7bc59044",
        read=readers.ag_news,
        splits=("test",),
    ),
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
        read=readers.papers,
        derived="one JSON line an arXiv id with the fields id, date, primary, categories, title, abstract and comment; "
        "the first day kept, authors and AI summaries dropped",
    ),
    Entry(
        name="papers_ir",
        about="6,767 arXiv abstracts of cs.IR, to 2019",
        kind="records",
        origin="staeiou/arxiv_archive @ f043eb1d71da6ed2fb9eac63ab8707359ff606ea : processed_data/20200101",
        licence=ARXIV,
        packed="papers_arxiv_to2019/cs.IR_20200101_dev.tsv.xz",
        sha256="49452741e7d11a72e12ad1b1a6415cc6fde45abaf2ca3d8838b0fbcfe5d34935",
        unpacked="papers_arxiv_to2019",
        patterns=("cs.IR.tsv.xz",),
        content="18bc3f8414c119764b83c269be84b90b6166d5951defa88eb7697f24b58ce3c1",
        read=readers.papers_ir,
    ),
    Entry(
        name="humanevalpack",
        about="164 programming tasks in 6 languages, each with a correct and a buggy solution and tests",
        kind="records",
        origin="bigcode-project/octopack @ e17a8f6470264286bc6a52eb8263582083bf3bf6 : evaluation/create",
        licence="MIT",
        packed="humanevalpack_fix/humanevalpack_dev.tar.xz",
        sha256="fdcd0ed59871f4a083bc8a10d2a9d47633a61f368e7800d7f0ea7ced01e3724d",
        unpacked="humanevalpack_fix",
        patterns=tuple(
            f"{language}/data/humanevalpack.jsonl" for language in ("cpp", "go", "java", "js", "python", "rust")
        ),
        content="4089f19668962b1cd8c699ace9f81a883755e59e04a5a692772d66cd4e6ada66",
        read=readers.humanevalpack,
        splits=("python", "cpp", "go", "java", "js", "rust"),
    ),
)

T = TypeVar("T", RetrievalDataset, TextClassificationDataset, RecordsDataset)

REGISTRY = {entry.name: entry for entry in ENTRIES}


def names() -> list[str]:
    """The names that `load` knows.

    Examples:
        >>> "cranfield" in names()
        True
    """
    return list(REGISTRY)


def info(name: str) -> Entry:
    """What is known about a data set, on this machine or not.

    Raises:
        InputError: an unknown name.

    Examples:
        >>> info("cranfield").licence
        'Glasgow IR test collections: free for research'
    """
    if name not in REGISTRY:
        raise InputError(f"data set {name!r} is not known; there are {', '.join(REGISTRY)}")
    return REGISTRY[name]


def available(name: str) -> bool:
    """Whether `load` would find the files of a data set."""
    try:
        info(name).source()
    except DatasetMissing:
        return False
    return True


def load(name: str, split: str | None = None) -> Dataset:
    """Read a data set that is on this machine; nothing is downloaded.

    Args:
        name: one of `names`.
        split: one of its splits; the first where None.

    Raises:
        InputError: an unknown name or split.
        DatasetMissing: it is not here; the message says how to get it.
    """
    entry = info(name)
    chosen = entry.splits[0] if split is None else split
    if chosen not in entry.splits:
        raise InputError(f"data set {name!r} has no split {chosen!r}; it has {', '.join(entry.splits)}")
    return entry.read(name, entry.source(), chosen)


def retrieval(name: str) -> RetrievalDataset:
    """`load` for a data set of kind ``retrieval``, typed as such."""
    return _of(RetrievalDataset, name)


def classification(name: str) -> TextClassificationDataset:
    """`load` for a data set of kind ``classification``, typed as such."""
    return _of(TextClassificationDataset, name)


def records(name: str, split: str | None = None) -> RecordsDataset:
    """`load` for a data set of kind ``records``, typed as such."""
    return _of(RecordsDataset, name, split)


def _of(kind: type[T], name: str, split: str | None = None) -> T:
    dataset = load(name, split)
    if not isinstance(dataset, kind):
        raise InputError(f"data set {name!r} is of kind {info(name).kind}, not {kind.__name__}")
    return dataset
