"""Pairs of texts that people scored for similarity."""

from __future__ import annotations

from similia.evaluate.datasets.entry import Entry
from similia.evaluate.datasets.places import Files
from similia.evaluate.datasets.readers import scored

DATASET_STS = "brmson/dataset-sts @ e1d3375f5b3bc24f21aa4e46f96eb379e9fc1081"
KNOWN_WORDS = tuple(scored.WORD_SETS)[:10]
YEARS: dict[str, tuple[str, tuple[str, ...], str, str]] = {
    "12": (
        "3,842 pairs of 4 sources",
        ("test", "train", "MSRpar", "OnWN", "SMTeuroparl", "SMTnews"),
        "fe6d094089430d8f0be97db6d2706141bbcab294766f22c3d3bd65c070409358",
        "the fifth source, MSRvid, is not among them; MSRpar is a part of mrpc",
    ),
    "13": (
        "1,500 pairs of 3 sources",
        ("test", "FNWN", "OnWN", "headlines"),
        "5da2e0419974e1841414346e0ed860474ccfa3151ea14b2c29bcd5cd8ae6a482",
        "the fourth source, SMT, is not among them",
    ),
    "14": (
        "3,750 pairs of 6 sources",
        ("test", "OnWN", "deft-forum", "deft-news", "headlines", "images", "tweet-news"),
        "920e6deeac7223b4f3b74675d50fdd66421d5af1ed35a00285305065dde8a76f",
        "",
    ),
    "15": (
        "3,000 pairs of 5 sources",
        ("test", "answers-forums", "answers-students", "belief", "headlines", "images"),
        "dd613eb65aaa8d687a97ce33baf08dc773c10f530f4658296a1da70ee0fa5192",
        "",
    ),
    "16": (
        "1,186 pairs of 5 sources",
        ("test", "answer-answer", "headlines", "plagiarism", "postediting", "question-question"),
        "bf30d2cbc7f57f579bb183b92cc6f654b8438208d772f968c6e6e1aee210a2e0",
        "",
    ),
}


def _stsb(name: str, about: str, content: str, notes: str) -> Entry:
    language = name.removeprefix("stsb").removeprefix("_") or "en"
    return Entry(
        name=name,
        about=about,
        kind="pairs",
        origin="PhilipMay/stsb-multi-mt @ 30de0dec4ee199b7f42351d3f1a0b19592955385 : data",
        licence="scores CC BY-SA 4.0, texts by source (as STSbenchmark)",
        packed="stsb/stsb_en_de_zh.tar.xz",
        sha256="93d0a23328939dcf8548cedca0b0985f20977a0d880dc25e5fafbf16dd4f9aff",
        unpacked="stsb",
        patterns=(f"stsb-{language}-*.csv",),
        content=content,
        read=scored.stsb,
        splits=("dev", "train", "test"),
        notes=notes,
    )


def _sts(year: str) -> Entry:
    counts, splits, content, notes = YEARS[year]
    return Entry(
        name=f"sts{year}",
        about=f"SemEval STS 20{year}: {counts}, scores 0 to 5",
        kind="pairs",
        origin=f"{DATASET_STS} : data/sts/semeval-sts",
        licence="as stated in the files of each source",
        packed="sick_semeval_sts/semeval_sts_2012_2016_dev.tar.xz",
        sha256="dd6b05fdeb1b0f5d322a8d24e2c57f1f0ac2e11553d7c14fd5be43804eff0e8d",
        unpacked="sick_semeval_sts",
        patterns=(f"semeval-sts/20{year}/*.tsv",),
        content=content,
        read=scored.sts,
        splits=splits,
        notes="; ".join(filter(None, (notes, "shares pairs with stsb; a source can be asked for as a split"))),
    )


def _words(split: str) -> Files:
    return Files("word_similarity/*.tar.xz", None, "word_similarity", (scored.WORD_SETS[split].pattern,), None)


def _sugarcrepe(split: str, sha256: str, content: str) -> Files:
    return Files(f"sugarcrepe_pp/{split}.json.xz", sha256, "sugarcrepe_pp", (f"{split}.json",), content)


SUGARCREPE = {
    "replace_att": _sugarcrepe(
        "replace_att",
        "f3075e48c3dbb2fce710cb4980a305c603e71677401c7a3f26bbd8afe5d108bf",
        "4b0171dfee4c068eae846171be300ed9e32b29e62f965cfceba36a60742b9331",
    ),
    "replace_rel": _sugarcrepe(
        "replace_rel",
        "654a8dfc8d8640ccaeb5c2edfb3c17bdbd6151d8a5e21f61c4de49e4f69ad954",
        "1fd534c7902960eb767e892033fa74ea13e49a551150301ed743ef84ef07e687",
    ),
    "swap_obj": _sugarcrepe(
        "swap_obj",
        "0ced2e273b18c77e2c2e41e680212cd696636c47872495068e11b59610618d81",
        "653e1bbb5716d27d866e9c25fc006b1694c1620174afb46022721cfd4b249ec6",
    ),
}

ENTRIES: tuple[Entry, ...] = (
    _stsb(
        "stsb",
        "STS Benchmark: 8,628 pairs of sentences, scores 0 to 5",
        "799a3a4ce124695f952c153cba6c4c6cac0d7b31048156dfb11f298c917e3dec",
        "drawn from sts12 to sts16 and a year more, so it shares pairs with them",
    ),
    _stsb(
        "stsb_de",
        "STS Benchmark in German",
        "7fdf7db05ebde5182a5cb99fdbf3cd7fc675591f26654ef0a4597426399c7167",
        "translated by a machine, pair by pair in the order of stsb: left of one and right of the other go together",
    ),
    _stsb(
        "stsb_zh",
        "STS Benchmark in Chinese",
        "0cde0612f7a98be132350cb7545f07466bd5542ce6ab5a59f1b96436a3137846",
        "translated by a machine, pair by pair in the order of stsb: left of one and right of the other go together",
    ),
    *map(_sts, YEARS),
    Entry(
        name="sick",
        about="SICK: 9,927 pairs of sentences, relatedness 1 to 5",
        kind="pairs",
        origin=f"{DATASET_STS} : data/sts/sick2014",
        licence="CC BY-NC-SA 3.0",
        packed="sick_semeval_sts/*.tar.xz",
        sha256=None,
        unpacked="sick_semeval_sts",
        patterns=tuple(scored.SICK_FILES.values()),
        content=None,
        read=scored.sick,
        splits=tuple(scored.SICK_FILES),
        notes="no checksum is known; dev is what its makers call trial",
    ),
    Entry(
        name="mrpc",
        about="MRPC: 5,801 pairs of sentences from the news, 1 where they say the same",
        kind="pairs",
        origin=f"{DATASET_STS} : data/para/msr",
        licence="Microsoft Research licence (enclosed)",
        packed="mrpc/msr_para.tar.xz",
        sha256="03ab3984dfa66718cc019291fc194f366669a6867432fe94a6fdb8e643a7a793",
        unpacked="mrpc",
        patterns=("msr/msr-para-*.tsv",),
        content="d322a9743ddf7c402cdd4965bd156ef4c78291b23a67d9339b048509825c0555",
        read=scored.mrpc,
        splits=("dev", "train", "test"),
        notes="dev is the last 500 pairs of the original train; MSRpar of sts12 is a part of it",
    ),
    Entry(
        name="medical_question_pairs",
        about="3,048 pairs of patients' questions, 1 where a doctor wrote the same anew, 0 where only alike in words",
        kind="pairs",
        origin="curai/medical-question-pair-dataset @ 6c7f7fd7a53cedc6fec105c0c6cb78f2e9a82cd1 : mqp.csv",
        licence="none stated in the repository (curai, research)",
        packed="medical_question_pairs/mqp.csv.xz",
        sha256="864314b778dfaec3195bfb9a514bb4d56b5b9bf00b28e1d60d23e8ccac41016c",
        unpacked="medical_question_pairs",
        patterns=("mqp.csv",),
        content="96ec80ed7bec07f7a49d75ee6f57dea80780dc65bab145408e471912ac6eb6a2",
        read=scored.medical_question_pairs,
        notes="the two pairs of a question follow each other; a split must keep them together",
    ),
    Entry(
        name="word_similarity",
        about="13 sets of pairs of words, each with its own range of scores",
        kind="pairs",
        origin="mfaruqui/eval-word-vectors @ 94b3dd9fdbac7ed08dbee7179cd5ee464acf0594 : data/word-sim",
        licence="repository MIT; sets free for research",
        packed="word_similarity/word_sim_dev.tar.xz",
        sha256="f329da11c53c884903212097509531e1e8ce538d5ef22b923651031c752cd260",
        unpacked="word_similarity",
        patterns=tuple(scored.WORD_SETS[split].pattern for split in KNOWN_WORDS),
        content="970619650323666a636c83f7feedb9fd2455040f8fe0e583ce9fb837596fca0d",
        read=scored.word_similarity,
        splits=tuple(scored.WORD_SETS),
        parts={split: _words(split) for split in scored.WORD_SETS if split not in KNOWN_WORDS},
        notes="compare ranks, as ranges differ; no checksums of simlex999, simverb3500 and rw are known; verb143 holds "
        "144 pairs",
    ),
    Entry(
        name="sugarcrepe_pp",
        about="SugarCrepe++: 2,439 triplets of captions, two of which mean the same, as 3 pairs each",
        kind="pairs",
        origin="Sri-Harsha/scpp @ c083bbf039a5ca215acaf25e7ee736d2ea6f3864 : data",
        licence="CC BY 4.0",
        packed=SUGARCREPE["replace_att"].packed,
        sha256=SUGARCREPE["replace_att"].sha256,
        unpacked="sugarcrepe_pp",
        patterns=SUGARCREPE["replace_att"].patterns,
        content=SUGARCREPE["replace_att"].content,
        read=scored.sugarcrepe_pp,
        splits=tuple(SUGARCREPE),
        parts=SUGARCREPE,
        notes="the false caption shares nearly all words with the first: hard for all that goes by words",
    ),
)
