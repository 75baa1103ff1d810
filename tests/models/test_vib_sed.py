"""The network of VIB-Emo: its losses by hand, who learns when, and text that can be read."""

import copy
import dataclasses
import itertools
import math
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from voxplain import backbones
from voxplain.errors import ConfigError
from voxplain.models.bottleneck import kl
from voxplain.models.decoder import build
from voxplain.models.description import (
    ATTRIBUTES,
    TONES,
    Description,
    distinct_words,
    parsed,
    slots,
    spoken,
)
from voxplain.models.vib_sed import INSTRUCTIONS, Target, VibSed
from voxplain.testing.backbones import tiny_checkpoint

DEPTH, WIDTH, LATENT, STACK, READS = 3, 6, 4, 2, 16
LABELS = ("angry", "neutral", "sad")
HIGH = Description({"pitch": 1, "tempo": 0}, "urgent", ("eleven",), "angry")
LOW = Description({"pitch": -1, "range": -1, "voice": 1}, emphasised=(), label="sad")
TOLD = [Target(HIGH), Target(LOW, frozenset({"range", "emotion"}))]
SAID = ["It's eleven o'clock.", "A jacket"]


@pytest.fixture(scope="module")
def tokenizer():
    every = [Description({a.name: n for a in ATTRIBUTES}, label="sad") for n in (-1, 0, 1)]
    return build([spoken(HIGH), *map(spoken, every), *SAID], size="0.5M").tokenizer


def llama(tokenizer, *, seed=0, **sizes):
    """A random LLM with weights so large that all it reads counts."""
    torch.manual_seed(seed)
    options = {"hidden_size": READS, "intermediate_size": 24, "num_hidden_layers": 2}
    options |= {"num_attention_heads": 2, "max_position_embeddings": 256, **sizes}
    llm = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **options))
    for weight in llm.parameters():
        weight.data += 0.2 * torch.randn_like(weight)
    return llm


def network(tokenizer, *, llm=None, seed=0, **options):
    llm = llama(tokenizer, seed=seed) if llm is None else llm
    torch.manual_seed(seed)
    sizes = {"depth": DEPTH, "width": WIDTH, "latent": LATENT, "hidden": 8, "stack": STACK}
    net = VibSed(llm, tokenizer, **(sizes | options))
    for weight in [*net.blocks.parameters(), *net.adapters.parameters()]:
        weight.data += 0.3 * torch.randn_like(weight)
    return net.eval()


@pytest.fixture
def clips():
    """States of two clips, the second shorter, with nonsense where it has ended."""
    generator = torch.Generator().manual_seed(1)
    states = torch.randn(DEPTH, 2, 7, WIDTH, generator=generator)
    mask = torch.tensor([7, 4])[:, None] > torch.arange(7)
    states[:, ~mask] = 1e3
    return states, mask


def alone(clips, row):
    states, mask = clips
    length = int(mask[row].sum())
    return states[:, row : row + 1, :length], mask[row : row + 1, :length]


# The losses


class Bigram(nn.Module):
    """An LLM whose next token depends on what it has read last, and on nothing else."""

    def __init__(self, tokens):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.embed = nn.Embedding.from_pretrained(torch.randn(tokens, 8, generator=generator))
        self.out = nn.Linear(8, tokens)
        self.config = SimpleNamespace()

    def get_input_embeddings(self):
        return self.embed

    def forward(self, inputs_embeds, attention_mask, use_cache):
        return SimpleNamespace(logits=self.out(inputs_embeds))


@pytest.fixture
def bigram(tokenizer):
    torch.manual_seed(0)
    return network(tokenizer, llm=Bigram(len(tokenizer)))


def nats(net, instruction, pieces):
    """Of each token of some pieces of text, and of the end, by numpy: -log p(token | the last)."""
    llm, cut = net.llm, lambda text: net.tokenizer(text, add_special_tokens=False)["input_ids"]
    table = llm.embed.weight.double().numpy() @ llm.out.weight.detach().double().numpy().T
    table += llm.out.bias.detach().double().numpy()
    table = table - np.log(np.exp(table).sum(1, keepdims=True))
    tokens, last, found = [*map(cut, pieces), [net.tokenizer.eos_token_id]], None, []
    last = cut(INSTRUCTIONS[instruction])[-1]
    for piece in tokens:
        found.append([])
        for token in piece:
            found[-1].append(-table[last, token])
            last = token
    return found


def test_the_cross_entropy_of_a_transcript_is_the_mean_over_its_tokens(bigram, clips):
    pieces = [nats(bigram, "asr", [f" {text}"]) for text in SAID]
    expected = np.mean(np.concatenate([np.concatenate(one) for one in pieces]))
    found = bigram.losses(*clips, "asr", SAID, beta=0.0)
    assert found.cross_entropy.item() == pytest.approx(expected, rel=1e-5)
    assert found.total.item() == pytest.approx(expected, rel=1e-5)


def test_slots_that_are_not_sure_do_not_count(bigram, clips):
    high = ["pitch", " high", ", tempo", " medium", ", tone", " urgent"]
    high += [", stress on", " eleven", ": sounds", " angry"]
    low = ["pitch", " low", ", range", " narrow", ", voice", " breathy"]
    low += [", stress on", " none", ": sounds", " sad"]
    first, second = nats(bigram, "sed", high), nats(bigram, "sed", low)
    sure = [*second[:2], *second[4:8], second[10]]  # all but range and emotion, and the end
    expected = np.mean(np.concatenate([*first, *sure]))
    found = bigram.losses(*clips, "sed", TOLD, beta=0.0)
    assert found.cross_entropy.item() == pytest.approx(expected, rel=1e-5)


def test_the_emotion_may_count_more(bigram, clips):
    told = Target(Description({"pitch": 1}, label="angry"), emotion=5.0)
    descriptor, emotion, end = (
        np.concatenate(some)
        for some in np.split(
            np.array(nats(bigram, "sed", ["pitch", " high", ": sounds", " angry"]), object), [2, 4]
        )
    )
    counts = len(descriptor) + 5 * len(emotion) + len(end)
    expected = (descriptor.sum() + 5 * emotion.sum() + end.sum()) / counts
    found = bigram.losses(*alone(clips, 0), "sed", [told], beta=0.0)
    assert found.cross_entropy.item() == pytest.approx(expected, rel=1e-5)


def test_a_concept_bottleneck_tells_the_emotion_from_the_text(tokenizer, clips):
    net = network(tokenizer, llm=Bigram(len(tokenizer)), concept=True)
    text = spoken(dataclasses.replace(HIGH, label=""))
    heard = nats(net, "sed", [text])
    # The verdict follows the last word of the descriptors instead of an instruction.
    decided = nats(net, "decide", [f" {text}", ": sounds", " angry"])[1:]
    expected = np.mean(np.concatenate([*heard, *decided]))
    found = net.losses(*alone(clips, 0), "sed", TOLD[:1], beta=0.0)
    assert found.cross_entropy.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("task", "targets"), [("asr", SAID), ("sed", TOLD)])
def test_the_total_is_what_is_told_and_what_it_costs(tokenizer, clips, task, targets):
    net = network(tokenizer, free_bits=0.2)
    found = net.losses(*clips, task, targets, beta=0.25)
    states, mask = clips
    latent = net.blocks[{"asr": "content", "sed": "descriptors"}[task]](states)
    torch.testing.assert_close(found.kl, kl(latent.mu, latent.log_sigma, mask, free_bits=0.2))
    torch.testing.assert_close(found.total, found.cross_entropy + 0.25 * found.kl)
    assert found.mi == found.fit == 0


def test_without_compression_nothing_is_added(tokenizer, clips):
    found = network(tokenizer, compression="none").losses(*clips, "sed", TOLD, beta=9.0)
    assert found.kl == found.mi == found.fit == 0
    assert found.total == found.cross_entropy


@pytest.mark.parametrize(("task", "targets"), [("asr", SAID), ("sed", TOLD)])
def test_mutual_information_is_that_of_the_real_frames(tokenizer, clips, task, targets):
    net = network(tokenizer, compression="mi")
    found = net.losses(*clips, task, targets, beta=0.5)
    latents = net.latents(*clips)
    bound, fit = net.club(latents["content"][clips[1]], latents["descriptors"][clips[1]])
    torch.testing.assert_close(found.mi, bound)
    torch.testing.assert_close(found.fit, fit)
    assert found.kl == 0
    torch.testing.assert_close(found.total, found.cross_entropy + 0.5 * bound + fit)


def prompt(net, clips, task):
    """What the LLM reads before its answer, from the parts of the network, of one clip."""
    embed = net.llm.get_input_embeddings()
    states, mask = clips
    read = [embed(torch.tensor([net.tokenizer.bos_token_id]))]
    for branch in {"asr": ["content"], "sed": ["content", "descriptors"]}[task]:
        frames, _ = net.adapters[branch](net.blocks[branch](states).mu, mask)
        read.append(frames[0])
    words = net.tokenizer(INSTRUCTIONS[task], add_special_tokens=False)["input_ids"]
    return torch.cat([*read, embed(torch.tensor(words))])


def tokens_of(net, text):
    return net.tokenizer(text, add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize(
    ("task", "target", "text"), [("asr", SAID[0], f" {SAID[0]}"), ("sed", TOLD[0], spoken(HIGH))]
)
def test_the_cross_entropy_is_the_llms_own_loss(tokenizer, clips, task, target, text):
    net, clip = network(tokenizer), alone(clips, 0)
    before = prompt(net, clip, task)
    answer = [*tokens_of(net, text), tokenizer.eos_token_id]
    embedded = torch.cat([before, net.llm.get_input_embeddings()(torch.tensor(answer))])
    labels = torch.tensor([[-100] * len(before) + answer])
    expected = net.llm(inputs_embeds=embedded[None], labels=labels).loss
    found = net.losses(*clip, task, [target], beta=0.0).cross_entropy
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


# Who learns


ASR = {"blocks.content.layers"} | {
    f"{part}.content.{inside}.{place}.{kind}"
    for part, inside in (("blocks", "compress.encode"), ("adapters", "project"))
    for place in (0, 2)
    for kind in ("weight", "bias")
}
SED = {name.replace("content", "descriptors") for name in ASR}


def llm_of(net):
    return {name for name, weight in net.named_parameters() if name.startswith("llm.")}


def test_each_task_teaches_its_own_branch_and_the_llm(tokenizer):
    net = network(tokenizer)
    assert net.learned_by("asr") == ASR | llm_of(net)
    assert net.learned_by("sed") == SED | llm_of(net)
    assert {name for name, _ in net.named_parameters()} == ASR | SED | llm_of(net)


VARIANTS = {
    "published": {},
    "content learns too": {"content_gradient": True},
    "one branch": {"disentangled": False},
    "no compression": {"compression": "none"},
    "one branch, no compression": {"disentangled": False, "compression": "none"},
    "mutual information": {"compression": "mi"},
    "concept": {"concept": True},
}


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("lora", [False, True], ids=["whole", "lora"])
@pytest.mark.parametrize(("task", "targets"), [("asr", SAID), ("sed", TOLD)])
def test_a_step_moves_what_it_should_and_nothing_else(
    tokenizer, clips, options, lora, task, targets
):
    llm = llama(tokenizer)
    if lora:
        peft = pytest.importorskip("peft")
        config = peft.LoraConfig(r=2, target_modules=["q_proj", "o_proj"], init_lora_weights=False)
        llm.add_adapter(config)
    net = network(tokenizer, llm=llm, **options).train()
    steps = torch.optim.SGD((one for one in net.parameters() if one.requires_grad), lr=1.0)
    before = {name: weight.detach().clone() for name, weight in net.named_parameters()}
    net.losses(*clips, task, targets, beta=0.1).total.backward()
    steps.step()
    moved = {
        name for name, weight in net.named_parameters() if not torch.equal(weight, before[name])
    }
    assert moved == net.learned_by(task)
    if lora:
        assert {name for name in moved if name.startswith("llm.")} == {
            name for name in before if "lora" in name
        }


def test_one_branch_serves_both_tasks(tokenizer):
    net = network(tokenizer, disentangled=False)
    assert set(net.blocks) == set(net.adapters) == {"shared"}
    assert net.learned_by("asr") == net.learned_by("sed")


def test_in_a_concept_bottleneck_the_verdict_teaches_no_branch(tokenizer, clips):
    """What a branch learns is the same with a label and without, but for the mean over tokens."""
    net, bare = network(tokenizer, concept=True), dataclasses.replace(HIGH, label="")
    counts = 1 + len(tokens_of(net, spoken(bare)))
    more = 1 + len(tokens_of(net, ": sounds angry"))
    learned = []
    for description, count in ((bare, counts), (HIGH, counts + more)):
        net.zero_grad()
        loss = net.losses(*alone(clips, 0), "sed", [Target(description)], beta=0.0).total
        (count * loss).backward()
        learned.append([weight.grad.clone() for weight in net.blocks["descriptors"].parameters()])
        learned.append([net.llm.get_input_embeddings().weight.grad.clone()])
    without, llm_without, with_label, llm_with_label = learned
    torch.testing.assert_close(with_label, without)
    assert not torch.allclose(llm_with_label[0], llm_without[0])


# The same in any company; noise in training alone


def test_noise_is_for_training_alone(tokenizer, clips):
    net = network(tokenizer)
    twice = [net.losses(*clips, "sed", TOLD, beta=0.1).total.item() for _ in range(2)]
    assert twice[0] == twice[1]
    net.train()
    twice = [net.losses(*clips, "sed", TOLD, beta=0.1).total.item() for _ in range(2)]
    assert twice[0] != twice[1]


def test_company_changes_nothing(tokenizer, clips):
    net = network(tokenizer, usual=(torch.randn(DEPTH, WIDTH), torch.full((DEPTH, WIDTH), 9.0)))
    words = [["Eleven", "o'clock"], ["jacket"]]
    described = net.describe(*clips, words=words, labels=LABELS)
    transcribed = net.transcribe(*clips, max_tokens=8)
    latents = net.latents(*clips)
    for row, own in enumerate(words):
        clip = alone(clips, row)
        (single,) = net.describe(*clip, words=[own], labels=LABELS)
        assert single.description == described[row].description
        for name, chances in single.probabilities.items():
            assert described[row].probabilities[name] == pytest.approx(chances, rel=1e-4)
        assert net.transcribe(*clip, max_tokens=8) == [transcribed[row]]
        for name, z in net.latents(*clip).items():
            length = z.shape[1]
            torch.testing.assert_close(latents[name][row, :length], z[0])
            assert not latents[name][row, length:].any()


@pytest.mark.parametrize(("task", "targets"), [("asr", SAID), ("sed", TOLD)])
def test_a_loss_is_the_mean_of_single_ones(tokenizer, clips, task, targets):
    """By their numbers of tokens that count, and for the KL by clips."""
    net = network(tokenizer)
    both = net.losses(*clips, task, targets, beta=0.0)
    single = [net.losses(*alone(clips, n), task, [targets[n]], beta=0.0) for n in range(2)]
    torch.testing.assert_close(both.kl, (single[0].kl + single[1].kl) / 2)
    first, second = (one.cross_entropy.item() for one in single)
    counts = [1 + len(tokens_of(net, f" {text}")) for text in SAID]
    if task == "sed":
        unsure = len(tokens_of(net, ", range narrow")) + len(tokens_of(net, ": sounds sad"))
        counts = [1 + len(tokens_of(net, spoken(one.description))) for one in TOLD]
        counts[1] -= unsure
    expected = np.average([first, second], weights=counts)
    assert both.cross_entropy.item() == pytest.approx(expected, rel=1e-4)


def test_usual_moments_normalise_the_states(tokenizer, clips):
    states, mask = clips
    mean, deviation = torch.randn(DEPTH, WIDTH), torch.rand(DEPTH, WIDTH) + 0.5
    usual = (mean, mean**2 + deviation**2)
    normal = (states - mean[:, None, None]) / deviation[:, None, None]
    found = network(tokenizer, usual=usual).latents(states, mask)
    expected = network(tokenizer).latents(normal, mask)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


# What is said


def by_hand(net, before, lead, candidates, after):
    """Log-probability of each candidate and of what follows it, one whole sequence at a time."""
    embed, found = net.llm.get_input_embeddings(), []
    for word in candidates:
        told = tokens_of(net, f" {word}") + after
        read = torch.cat([before, embed(torch.tensor(tokens_of(net, lead) + told))])
        logits = net.llm(inputs_embeds=read[None]).logits[0].log_softmax(-1)
        found.append(sum(logits[n - len(told) - 1, t] for n, t in enumerate(told, len(read))))
    return torch.stack(found)


@torch.no_grad()
def test_each_slot_is_chosen_by_its_probability(tokenizer, clips):
    """A slow reference without a cache."""
    net, clip = network(tokenizer), alone(clips, 0)
    words = ["Eleven", "o'clock"]
    (found,) = net.describe(*clip, words=[words], labels=LABELS)
    before, chosen = prompt(net, clip, "sed"), []
    wanted = slots(words=words, labels=LABELS)
    for slot, following in itertools.zip_longest(wanted, wanted[1:]):
        after = tokens_of(net, following.lead) if following else [tokenizer.eos_token_id]
        scores = by_hand(net, before, slot.lead, slot.spoken, after)
        best = slot.spoken[int(scores.argmax())]
        expected = dict(zip(slot.candidates, scores.softmax(0).tolist(), strict=True))
        assert found.probabilities[slot.name] == pytest.approx(expected, rel=1e-3, abs=1e-6)
        chosen.append(f"{slot.lead} {best}")
        told = torch.tensor(tokens_of(net, slot.lead) + tokens_of(net, f" {best}"))
        before = torch.cat([before, net.llm.get_input_embeddings()(told)])
    assert spoken(found.description) == "".join(chosen)


@pytest.mark.parametrize("concept", [False, True])
def test_a_random_llm_speaks_text_that_can_be_read(tokenizer, concept):
    """Whatever its weights and whatever is heard, of however odd a transcript."""
    odd = ["It's", "none", "NONE!", "—", "ß", "sounds", ": sounds angry", "tone,", "日本", "\n"]
    heard = set()
    for seed in range(25):
        net = network(tokenizer, seed=seed, concept=concept)
        words = random.Random(seed).sample(odd, seed % len(odd))
        states = 3 * torch.randn(DEPTH, 1, 5, WIDTH)
        mask = torch.ones(1, 5, dtype=torch.bool)
        (found,) = net.describe(states, mask, words=[words], labels=LABELS)
        description = found.description
        assert parsed(spoken(description), labels=LABELS) == description
        assert description.levels.keys() == {attribute.name for attribute in ATTRIBUTES}
        assert description.tone in TONES
        assert set(description.emphasised) <= set(distinct_words(words))
        assert description.label in LABELS
        assert all(sum(one.values()) == pytest.approx(1) for one in found.probabilities.values())
        for slot in slots(words=words, labels=LABELS):
            assert tuple(found.probabilities[slot.name]) == slot.candidates
        heard.add(spoken(description))
    assert len(heard) > 20  # they do differ


def test_the_label_alone(tokenizer, clips):
    found = network(tokenizer).describe(*clips, words=[[], []], labels=LABELS, taught=())
    for one in found:
        assert one.probabilities.keys() == {"emotion"}
        best = max(LABELS, key=one.probabilities["emotion"].get)
        assert one.description == Description(label=best)


@torch.no_grad()
def test_a_verdict_is_read_from_the_text_alone(tokenizer, clips):
    net = network(tokenizer, concept=True)
    embed = net.llm.get_input_embeddings()
    said = tokens_of(net, INSTRUCTIONS["decide"]) + tokens_of(net, " pitch high, range wide")
    before = embed(torch.tensor([tokenizer.bos_token_id, *said]))
    scores = by_hand(net, before, ": sounds", LABELS, [tokenizer.eos_token_id])
    found = net.decide(Description({"pitch": 1, "range": 1}, label="sad"), labels=LABELS)
    assert found == pytest.approx(dict(zip(LABELS, scores.softmax(0).tolist(), strict=True)))


def test_a_verdict_follows_the_descriptors_and_nothing_else(tokenizer, clips):
    net = network(tokenizer, concept=True)
    for one in net.describe(*clips, words=[[], []], labels=LABELS):
        again = net.decide(one.description, labels=LABELS)
        assert again == pytest.approx(one.probabilities["emotion"])
        assert one.description.label == max(again, key=again.get)
        levels = {**one.description.levels, "pitch": -one.description.levels["pitch"] or 1}
        edited = dataclasses.replace(one.description, levels=levels)
        assert net.decide(edited, labels=LABELS) != pytest.approx(again)


@torch.no_grad()
def test_a_transcript_is_the_greedy_one(tokenizer, clips):
    """Even of an LLM that came with a penalty for what it has said before."""
    llm, clip = llama(tokenizer), alone(clips, 1)
    llm.generation_config.repetition_penalty = 9.0
    net = network(tokenizer, llm=llm)
    read, expected = prompt(net, clip, "asr"), []
    for _ in range(6):
        token = net.llm(inputs_embeds=read[None]).logits[0, -1].argmax()
        if token == tokenizer.eos_token_id:
            break
        expected.append(int(token))
        read = torch.cat([read, net.llm.get_input_embeddings()(token)[None]])
    text = tokenizer.decode(expected, skip_special_tokens=True).strip()
    assert net.transcribe(*clip, max_tokens=6) == [text]


def test_a_transcript_ends(tokenizer, clips):
    """At the sign of the end, or after as many tokens as are allowed."""
    net = network(tokenizer)
    letter = tokenizer("a", add_special_tokens=False)["input_ids"][0]
    for token, expected in ((tokenizer.eos_token_id, ""), (letter, "aaaaa")):
        head = net.llm.lm_head
        head.register_forward_hook(
            lambda _, __, logits, token=token: torch.zeros_like(logits).index_fill(
                -1, torch.tensor([token]), 1.0
            )
        )
        assert net.transcribe(*clips, max_tokens=5) == [expected] * 2


def test_an_llm_may_be_in_half_precision(tokenizer, clips):
    net = network(tokenizer, llm=llama(tokenizer).bfloat16())
    net.train().losses(*clips, "sed", TOLD, beta=0.1).total.backward()
    assert net.blocks["descriptors"].layers.grad.isfinite().all()
    (one, _) = net.eval().describe(*clips, words=[[], []], labels=LABELS)
    assert one.description.label in LABELS


def test_it_reads_an_encoder_of_hugging_face(tokenizer, tmp_path):
    encoder = backbones.load(tiny_checkpoint(tmp_path, "hubert")).eval()
    waveforms = [torch.randn(4000), torch.randn(2400)]
    with torch.no_grad():
        states, mask = encoder(waveforms)
    net = network(tokenizer, depth=encoder.depth, width=encoder.width)
    assert net.losses(states, mask, "asr", SAID, beta=0.1).total.isfinite()
    together = net.describe(states, mask, words=[[], []], labels=LABELS)
    with torch.no_grad():
        single = encoder(waveforms[1:])
    (own,) = net.describe(*single, words=[[]], labels=LABELS)
    assert own.description == together[1].description


def test_it_learns_to_say_what_it_hears(tokenizer):
    torch.manual_seed(0)
    pitches = [-1, 1] * 4
    states = 0.3 * torch.randn(DEPTH, 8, 6, WIDTH)
    states[1, :, :, 0] += torch.tensor(pitches)[:, None]
    mask = torch.ones(8, 6, dtype=torch.bool)
    told = [Target(Description({"pitch": n}, label="angry" if n > 0 else "sad")) for n in pitches]
    net = network(tokenizer).train()
    steps = torch.optim.AdamW(net.parameters(), lr=0.01)
    for _ in range(40):
        steps.zero_grad()
        net.losses(states, mask, "sed", told, beta=1e-3).total.backward()
        steps.step()
    found = net.eval().losses(states, mask, "sed", told, beta=0.0).cross_entropy
    # Who does not hear the pitch is wrong about it by ln 2, in one of at least seven tokens.
    assert found.item() < math.log(2) / 14


# What can not be


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"depth": 0}, "depth is 0; give at least 1; take an encoder that shows its layers"),
        ({"stack": 0}, "stack is 0; give at least 1"),
        ({"latent": 0}, "latent is 0"),
        ({"compression": "mi", "disentangled": False}, "mi is what two latents share"),
    ],
)
def test_a_network_that_can_not_be_is_refused(tokenizer, wrong, message):
    with pytest.raises(ConfigError, match=message):
        network(tokenizer, **wrong)


@pytest.mark.parametrize("name", ["bos", "eos"])
def test_an_llm_needs_its_signs(tokenizer, name):
    other = copy.deepcopy(tokenizer)
    setattr(other, f"{name}_token", None)
    with pytest.raises(ConfigError, match=f"has no {name} token.*set tokenizer.{name}_token"):
        network(other)


def test_a_tokenizer_of_another_llm_is_refused(tokenizer):
    with pytest.raises(ConfigError, match=r"has \d+ tokens and the LLM 9; take both from one"):
        network(tokenizer, llm=Bigram(9))


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        (torch.zeros(1, 2, 7, WIDTH), r"states are \(1, 2, 7, 6\), and \(3, batch, frames, 6\)"),
        (torch.zeros(DEPTH, 2, 7, 5), r"states are \(3, 2, 7, 5\)"),
        (torch.zeros(2, 7, WIDTH), r"states are \(2, 7, 6\)"),
    ],
    ids=["hidden layers", "another width", "no layers"],
)
def test_states_of_another_encoder_are_refused(tokenizer, clips, states, shown):
    with pytest.raises(ConfigError, match=f"{shown}.*hides its layers"):
        network(tokenizer).latents(states, clips[1])


@pytest.mark.parametrize("mask", [torch.ones(2, 6, dtype=torch.bool), torch.ones(2, 7)])
def test_a_mask_of_another_kind_is_refused(tokenizer, clips, mask):
    with pytest.raises(ConfigError, match=r"the mask is \(2, .*give \(batch, frames\) of bool"):
        network(tokenizer).latents(clips[0], mask)


def test_a_clip_without_frames_is_refused(tokenizer, clips):
    states, mask = clips
    mask[1] = False
    net = network(tokenizer)
    for ask in (
        lambda: net.losses(states, mask, "asr", SAID, beta=0.0),
        lambda: net.describe(states, mask, words=[[], []], labels=LABELS),
        lambda: net.transcribe(states, mask),
        lambda: net.latents(states, mask),
    ):
        with pytest.raises(ConfigError, match="clip 1 of the batch has 0 frames; leave it out"):
            ask()


def test_a_missing_transcript_is_refused(tokenizer, clips):
    with pytest.raises(ConfigError, match="target 1 of the batch has no transcript; leave it out"):
        network(tokenizer).losses(*clips, "asr", ["yes", " "], beta=0.0)


@pytest.mark.parametrize(
    ("concept", "description", "message"),
    [
        (False, Description(), "target 0 of the batch says nothing; leave it out"),
        (True, Description(label="sad"), "says nothing but a label; leave it out"),
    ],
)
def test_a_target_that_says_nothing_is_refused(tokenizer, clips, concept, description, message):
    net = network(tokenizer, concept=concept)
    with pytest.raises(ConfigError, match=message):
        net.losses(*alone(clips, 0), "sed", [Target(description)], beta=0.0)


def test_a_target_of_which_nothing_counts_is_no_loss(tokenizer, clips):
    net = network(tokenizer)
    unsure = Target(Description(label="sad"), frozenset({"emotion"}))
    found = net.losses(*alone(clips, 0), "sed", [unsure], beta=0.0)
    assert found.total.isfinite()  # the end counts


def test_more_than_the_llm_reads_is_refused(tokenizer, clips):
    net = network(tokenizer, llm=llama(tokenizer, max_position_embeddings=40))
    expected = r"the LLM reads at most 40 tokens, and this takes \d+; stack more frames"
    for ask in (
        lambda: net.losses(*clips, "asr", ["no " * 40, "yes"], beta=0.0),
        lambda: net.describe(*clips, words=[[], []], labels=LABELS),
        lambda: net.transcribe(*clips, max_tokens=40),
    ):
        with pytest.raises(ConfigError, match=expected):
            ask()


def test_endless_generation_is_not_asked_for(tokenizer, clips):
    with pytest.raises(ConfigError, match="max_tokens is 0; allow at least 1"):
        network(tokenizer).transcribe(*clips, max_tokens=0)


@pytest.mark.parametrize(
    ("concept", "description", "message"),
    [
        (False, HIGH, "decides from what it hears; train one with concept"),
        (True, Description(label="sad"), "no descriptor to decide from; describe the clip first"),
    ],
)
def test_what_can_not_be_decided_is_refused(tokenizer, concept, description, message):
    with pytest.raises(ConfigError, match=message):
        network(tokenizer, concept=concept).decide(description, labels=LABELS)


def test_a_concept_bottleneck_has_no_label_alone(tokenizer, clips):
    net = network(tokenizer, concept=True)
    with pytest.raises(ConfigError, match="the emotion needs descriptors; teach some"):
        net.describe(*clips, words=[[], []], labels=LABELS, taught=())
