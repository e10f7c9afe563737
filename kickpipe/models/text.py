"""Keywords to one conditioning vector: a bag of words.

Every keyword of the vocabulary has an embedding (D = 64); those of a prompt are averaged, with weights if it has any,
and projected. A row without keywords uses one more learnable embedding, the null embedding, in place of the average:
it is what the network is conditioned on when it generates without a prompt.
"""

__all__ = ["PAD", "KeywordEncoder", "pad_ids"]

from collections.abc import Sequence

import torch
from torch import Tensor, nn

PAD = -1  # id of an empty place


def pad_ids(rows: Sequence[Sequence[int]]) -> Tensor:
    """Keyword ids (B, K), long, K the longest row, filled up with -1."""
    width = max((len(row) for row in rows), default=0)
    padded = [[*row, *[PAD] * (width - len(row))] for row in rows]
    return torch.tensor(padded, dtype=torch.long).reshape(len(rows), width)


class KeywordEncoder(nn.Module):
    """Maps keyword ids to conditioning vectors.

    Arguments:
        vocab_size: Number of keywords; 0 makes every row unconditional.
        embedding_dim: Length D of one embedding.
        out_dim: Length of the conditioning vector.
    """

    def __init__(self, vocab_size: int, embedding_dim: int = 64, out_dim: int = 256) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.null_embedding = nn.Parameter(torch.randn(embedding_dim))
        self.projection = nn.Linear(embedding_dim, out_dim)

    def forward(self, ids: Tensor, weights: Tensor | None = None) -> Tensor:
        """Returns conditioning vectors (B, out_dim).

        Arguments:
            ids: Keyword ids (B, K), long, each row filled up with -1; K may be 0.
            weights: Weight of each keyword (B, K), not negative; None weighs all the same. A row whose weights are all 0
                counts as a row without keywords. What stands at a filled-up place does not matter.
        """
        present = ids != PAD
        weights = present.to(self.projection.weight.dtype) if weights is None else weights * present
        total = weights.sum(dim=1, keepdim=True)
        empty = total == 0
        if self.vocab_size:
            embeddings = self.embedding(ids.clamp(min=0))
            average = (weights[:, :, None] * embeddings).sum(dim=1) / total.masked_fill(empty, 1)
            average = torch.where(empty, self.null_embedding, average)
        else:
            average = self.null_embedding.expand(len(ids), -1)
        return self.projection(average)
