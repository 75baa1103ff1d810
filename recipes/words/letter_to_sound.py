"""Learn how English letters sound from the CMU dictionary that lies in the pocketsphinx wheel.

    python recipes/words/letter_to_sound.py src/voxplain/assets/pronunciation/english.json

Every letter is given none, one or two phones by a hard EM over monotonic alignments. A table then
holds, from short contexts to long ones, each context of a letter that is seen often enough and
sounds otherwise than the shorter context says (Daelemans and van den Bosch 1997, IGTree). One word
in twenty is kept out of it; how well these are read is printed.
"""

import json
import math
import random
import sys
from collections import Counter, defaultdict
from pathlib import Path

from pocketsphinx import get_model_path

from voxplain.text.pronunciation import LONGEST, context, read_letters

LEAST = 3  # times that a context must be seen
ALIGNED = 30_000  # words the alignment is learnt from
ROUNDS = 6
HELD_OUT = 20


def words():
    """(word, phones), of words spelled with letters alone, without alternatives."""
    for line in Path(get_model_path("en-us/cmudict-en-us.dict")).read_text().splitlines():
        word, *phones = line.split()
        if word.isascii() and word.replace("'", "").isalpha():
            yield word, tuple(phones)


def aligned(word, phones, cost):
    """The phones of each letter on the cheapest path, or None where there are too many."""
    best = {0: (0.0, ())}
    for letter in word:
        fresh = {}
        for done, (paid, path) in best.items():
            for count in range(min(3, len(phones) - done + 1)):
                chunk = phones[done : done + count]
                price = paid + cost(letter, chunk)
                if done + count not in fresh or price < fresh[done + count][0]:
                    fresh[done + count] = price, (*path, chunk)
        best = fresh
    return best[len(phones)][1] if len(phones) in best else None


def costs(pairs):
    """Of giving a letter these phones: -log of how often it was done."""
    counts = Counter(pairs)
    totals = Counter()
    for (letter, _), count in counts.items():
        totals[letter] += count
    return lambda letter, chunk: -math.log((counts[letter, chunk] + 0.1) / (totals[letter] + 10))


def learnt(lexicon, draw):
    """Context -> phones."""
    some = draw.sample(lexicon, ALIGNED)
    # a vowel letter is no more likely to be a vowel yet: begin with one phone a letter
    cost = lambda letter, chunk: abs(len(chunk) - 1)  # noqa: E731
    for _ in range(ROUNDS):
        paths = ((word, aligned(word, phones, cost)) for word, phones in some)
        cost = costs(
            [pair for word, path in paths if path for pair in zip(word, path, strict=True)]
        )
    seen = [defaultdict(Counter) for _ in range(LONGEST + 1)]
    for word, phones in lexicon:
        for at, chunk in enumerate(aligned(word, phones, cost) or ()):
            for size in range(LONGEST + 1):
                seen[size][context(word, at, size)][" ".join(chunk)] += 1
    table, said = {}, {}
    for size, contexts in enumerate(seen):
        for key, counter in contexts.items():
            shorter = said.get(_shorter(key, size))
            if size and counter.total() < LEAST:
                said[key] = shorter
                continue
            said[key] = counter.most_common(1)[0][0]
            if said[key] != shorter:
                table[key] = said[key]
    return table


def _shorter(key, size):
    # what ``context`` added last: a letter on the right, then one on the left
    return key[:-1] if size % 2 else key[1:]


def distance(one, other):
    """Edits from one sequence to the other."""
    row = list(range(len(other) + 1))
    for n, left in enumerate(one, 1):
        above, row = row, [n]
        for m, right in enumerate(other, 1):
            row.append(min(above[m] + 1, row[-1] + 1, above[m - 1] + (left != right)))
    return row[-1]


def main(out):
    """Learn, store, and print how the words kept out are read."""
    draw = random.Random(0)
    lexicon = sorted(words())
    draw.shuffle(lexicon)
    cut = len(lexicon) // HELD_OUT
    table = learnt(lexicon[cut:], draw)
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(table.items()))
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    read = [(phones, read_letters(word, table)) for word, phones in lexicon[:cut]]
    wrong = sum(distance(truth, guess) for truth, guess in read) / sum(len(t) for t, _ in read)
    whole = sum(truth == guess for truth, guess in read) / len(read)
    sys.stdout.write(
        f"{len(table)} contexts; {cut} unseen words: phone error {wrong:.3f}, right {whole:.3f}\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
