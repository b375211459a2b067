"""A causal language model as a judge: a tiny one made by the test, its answers computed one by one."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from similia.errors import InputError, ModelError
from similia.rank.judging import Judge, LocalJudge

WORDS = str.split(
    'Yes yes No no red blue cat dog on the mat a " { } [ ] : , . ? query item Does meet what asks for Answer or ; '
    "counts"
)


def test_without_pytorch_it_says_what_to_install(tmp_path):
    if importlib.util.find_spec("transformers") is None:
        with pytest.raises(ModelError, match="pip install"):
            LocalJudge(tmp_path)
    else:
        with pytest.raises(ModelError, match="there is no folder"):
            LocalJudge(tmp_path / "none")
        with pytest.raises(InputError):
            LocalJudge(tmp_path, batch=0)
        with pytest.raises(ModelError, match="cannot be loaded"):
            LocalJudge(tmp_path).grade("a", ["b"])


def save_model(path, words, chat: bool):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    names = list(dict.fromkeys(["<pad>", "<unk>", "<s>", "</s>", *words]))
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(names)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )
    if chat:
        fast.chat_template = "<s> {{ messages[0]['content'] }} </s>{% if add_generation_prompt %} : {% endif %}"
    fast.save_pretrained(path)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(names),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=512,
        initializer_range=0.5,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(path)
    return path


@pytest.mark.parametrize("chat", [False, True])
def test_a_grade_is_the_share_of_yes(tmp_path, chat):
    folder = save_model(tmp_path, WORDS, chat)
    import torch
    import transformers

    judge = LocalJudge(folder, batch=2)
    assert isinstance(judge, Judge)
    items = ["a red cat", "the dog on the mat", "", "blue", "cat " * 40]
    grades = judge.grade("red cat", items)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    yes = tokenizer.convert_tokens_to_ids(["Yes", "yes"])
    no = tokenizer.convert_tokens_to_ids(["No", "no"])
    for item, grade in zip(items, grades, strict=True):
        with torch.inference_mode():
            logits = model(torch.tensor([judge.prompt("red cat", item)])).logits[0, -1].double().numpy()
        share = np.exp(logits[yes]).sum() / np.exp(logits[[*yes, *no]]).sum()
        assert grade == pytest.approx(share, abs=1e-5)
    assert judge.order("red cat", items) == np.argsort(-grades, kind="stable").tolist()
    assert judge.grade("red cat", []).shape == (0,)
    assert judge.tally.calls == 6
    assert LocalJudge(folder, criterion="colour").fingerprint != judge.fingerprint
    if chat:
        written = tokenizer.decode(judge.prompt("red", "cat"))
        assert written.startswith("<s>")
        assert written.rstrip().endswith(":")


def test_a_long_item_is_cut_and_the_question_is_not(tmp_path):
    judge = LocalJudge(save_model(tmp_path, WORDS, False), max_tokens=120)
    short, long = judge.prompt("red", "cat"), judge.prompt("red", "cat " * 5_000)
    assert len(long) <= 120 + 5
    assert long[-10:] == short[-10:]


def test_a_tokenizer_without_yes_is_refused(tmp_path):
    folder = save_model(tmp_path, ["cat", "dog"], False)
    with pytest.raises(ModelError, match="Yes and for No"):
        LocalJudge(folder).grade("cat", ["dog"])
