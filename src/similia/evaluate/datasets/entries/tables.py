"""Tables that answer questions, and functions that do what was asked for."""

from __future__ import annotations

from similia.evaluate.datasets.entry import Entry
from similia.evaluate.datasets.places import Files
from similia.evaluate.datasets.readers import papers, questions, tables

WIKITABLES = "wikitable_questions/wtq_tables_train_dev.tar.xz"
WIKITABLES_SHA256 = "e2f9bd3d41066d3e077db09817c6ce161d3b42fea811c9f7b96dbf3cc03bea08"

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="wikitable_questions",
        about="2,108 tables of Wikipedia, 22,033 questions about one of them each",
        kind="retrieval",
        origin="ppasupat/WikiTableQuestions @ 7d455a5a707b96341ef72aff9428749d443d8aa9 : csv, data, misc",
        licence="CC BY-SA 4.0",
        packed=WIKITABLES,
        sha256=WIKITABLES_SHA256,
        unpacked="wikitable_questions",
        patterns=(
            "csv/*.csv",
            "misc/table-metadata.tsv",
            "data/training.tsv",
            "data/pristine-seen-tables.tsv",
        ),
        content="17ec1b75b331cd37b63f973577419bfc45653267514abe992514e98aa7e472a1",
        read=tables.wikitable_questions,
        splits=("train", "seen", "unseen"),
        parts={
            "unseen": Files(
                "wikitable_questions/*.tar.xz",
                None,
                "wikitable_questions",
                ("*data/pristine-unseen-tables.tsv",),
                None,
                beside=Files(
                    WIKITABLES,
                    WIKITABLES_SHA256,
                    "wikitable_questions",
                    ("csv/*.csv", "misc/table-metadata.tsv"),
                    "bc800c6193677df4582b82457baa730c80465bb1268cea2afe7c51a7c133a0d3",
                ),
            )
        },
        notes="questions were asked with the table in sight, so many do not say which table they mean; seen asks about "
        "tables of train, unseen about others, and no checksum of unseen is known",
    ),
    Entry(
        name="semtab_glossary",
        about="SemTab 2024: columns of tables, and the terms of a glossary that say what they hold",
        kind="retrieval",
        origin="sem-tab-challenge/2024 @ 871dca690efcc5efeec3be83c51fc57086413779 : data/metadata2kg",
        licence="none stated in the repository (SemTab 2024 challenge)",
        packed="semtab_metadata2kg/round1_dev.tar.xz",
        sha256="3072328aa2e1b2b46dd6f7cbcadf7b305be84e3675e14729dd21dd83ed687526",
        unpacked="semtab_metadata2kg",
        patterns=("round1/r1_glossary.jsonl", "round1/r1_test_metadata.jsonl", "round1/r1_test_metadata_GT.csv"),
        content="0acc713510c764dde284647ac40db973cc308ccf44eb35e1674952662b0e28cc",
        read=tables.semtab_glossary,
        splits=("round1", "round2"),
        parts={
            "round2": Files(
                "semtab_metadata2kg/*.tar.xz",
                None,
                "semtab_metadata2kg",
                ("*round2/*_glossary.jsonl", "*round2/*_test_metadata.jsonl", "*round2/*_test_metadata_GT.csv"),
                None,
            )
        },
        notes="one term a column, of several that mean nearly the same; no checksum of round2 is known",
    ),
    Entry(
        name="tabsim",
        about="TabSim: 899 pairs of tables from articles in medicine, similarity 0 to 4",
        kind="pairs",
        origin="Marhabibi/TabSim @ 8cec806a1c8a06c4f0d733daa417d55eb5f6a5d0 : tables.pickle",
        licence="none stated in the repository",
        packed="tabsim/pairs_folds_0_2.jsonl.xz",
        sha256="e6d04ac7fd9679cbf061f07b50338500dfacf5594d4d06f0bb0b53029991af09",
        unpacked="tabsim",
        patterns=("pairs_folds_0_2.jsonl",),
        content="900ca7e3119668fdc7a3869f6b177d14fc02fe922d22454b336a311e4c7852bd",
        read=tables.tabsim,
        splits=("all", "fold0", "fold1", "fold2"),
        notes="two thirds are unlike (0); a table is in many pairs, in several folds too",
        derived="folds 0 to 2 of a pickle, given as JSON lines",
    ),
    Entry(
        name="cosqa",
        about="CoSQA (dev): web queries, and Python functions that answer them or not",
        kind="retrieval",
        origin="microsoft/CodeXGLUE @ ac74a62802a0dd159b3258c78a2df8ad36cdf2b9 : Text-Code/NL-code-search-WebQuery",
        licence="MIT (code), C-UDA for data per CodeXGLUE",
        packed="code_search_cosqa/cosqa.tar.xz",
        sha256="8d98d10b1be9dcc5b949832514c1d83934d8149a8053e35009b5579bcde73e3d",
        unpacked="code_search_cosqa",
        patterns=("CoSQA/cosqa-dev.json",),
        content="4cae037debc6930feed167ca193f9c3c59ba1cae7f7979aef5790143f5bed373",
        read=questions.cosqa,
        splits=("dev",),
        notes="functions have their docstrings; each query was judged with one function only",
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
        read=papers.humanevalpack,
        splits=("python", "cpp", "go", "java", "js", "rust"),
    ),
)
