"""From the text of a prompt to one conditioning vector; a word that the model does not know is an error."""

__all__ = ["UnknownWords", "encode_prompt"]

import difflib

import torch
from torch import Tensor

from kickpipe.data.vocabulary import PromptError, UnknownKeyword, Vocabulary, parse_prompt
from kickpipe.models.text import KeywordEncoder

MAX_PROMPT = 1000  # characters
NUM_NEAREST = 3


class UnknownWords(UnknownKeyword):
    """Words of a prompt that the model has never seen.

    Attributes:
        word: The first of them.
        nearest: The word of the vocabulary most like it, or None.
    """

    def __init__(self, words: list[str], vocabulary: Vocabulary) -> None:
        matches = {w: difflib.get_close_matches(w.lower(), vocabulary.words, NUM_NEAREST, 0.5) for w in words}
        parts = [f"{w!r}" + (f" (did you mean {', '.join(found)}?)" if found else "") for w, found in matches.items()]
        verb = "is not a keyword" if len(words) == 1 else "are not keywords"
        ValueError.__init__(
            self, f"{', '.join(parts)} {verb} of this model; 'kickpipe keywords' lists the {len(vocabulary)} it knows"
        )
        self.word = words[0]
        self.nearest = (matches[words[0]] or [None])[0]


def encode_prompt(prompt: str, vocabulary: Vocabulary, encoder: KeywordEncoder) -> Tensor:
    """The conditioning vector (1, D) of a prompt; the empty prompt has the unconditional one.

    Raises:
        PromptError: If the prompt cannot be read; ``UnknownWords`` if it has unknown words.
    """
    if len(prompt) > MAX_PROMPT:
        raise PromptError(f"a prompt has at most {MAX_PROMPT} characters, this one has {len(prompt)}")
    words = parse_prompt(prompt)
    if unknown := [word for word, _ in words if word not in vocabulary]:
        raise UnknownWords(unknown, vocabulary)
    ids = torch.tensor([vocabulary.encode(word for word, _ in words)], dtype=torch.long).reshape(1, -1)
    weights = torch.tensor([[weight for _, weight in words]], dtype=torch.float32).reshape(1, -1)
    return encoder(ids, weights)
