"""The SRD network in PyTorch, with the names of the released weights, for comparisons.

The network is GRANA's (Bukat, Bukowicki et al. 2025, Plant Physiology kiaf212).
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

GREY_MEAN, GREY_SD = 0.2845, 0.1447
FIELD_ROWS = 220  # height of the receptive field, px of the frame
CHANNELS = 32
BLOCKS = ((2, (2, 2)), (2, (2, 1)), (2, (2, 1)), (2, (2, 1)), (1, (2, 1)), (1, (2, 1)))


class Twin(nn.Module):
    """Encoder, attention pool and regressor, with the confidence branch or without."""

    def __init__(self, heads: int = 2, hidden: int = 8, confidence: bool = True):
        """Draws the weights; the first guesses lie near 55 px."""
        super().__init__()
        self.seq = _encoder()
        self.query = _query(heads)
        self.linear1 = nn.Linear(CHANNELS * heads, hidden)
        self.linear2 = nn.Linear(hidden, 1)
        nn.init.constant_(self.linear2.bias, FIELD_ROWS / 55)
        self.confidence = confidence
        if confidence:
            self.query_sd = _query(heads)
            self.linear_sd1 = nn.Linear(CHANNELS * heads, hidden)
            self.linear_sd2 = nn.Linear(hidden, 1)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Returns period and sd, (B,) px of the frame; no sd without the confidence branch.

        Args:
          image: (B, 1, rows, columns), grey value 0..1, 0 outside of the mask.
        """
        features = self.seq((image - GREY_MEAN) / GREY_SD).flatten(2)
        period = FIELD_ROWS / _regress(features, self.query, self.linear1, self.linear2)
        if not self.confidence:
            return period, None
        v = _regress(features, self.query_sd, self.linear_sd1, self.linear_sd2)
        return period, torch.exp(v)


def _encoder() -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 1
    for convolutions, window in BLOCKS:
        for position in range(convolutions):
            if position:
                layers.append(nn.ReLU(inplace=True))
            layers.append(nn.Conv2d(channels, CHANNELS, 3))
            channels = CHANNELS
        layers.append(nn.MaxPool2d(window))
    return nn.Sequential(*layers, nn.Dropout(0.1))


def _query(heads: int) -> nn.Parameter:
    return nn.Parameter(nn.init.xavier_normal_(torch.empty(heads, CHANNELS))[None])


def _regress(
    features: torch.Tensor, query: torch.Tensor, first: nn.Linear, second: nn.Linear
) -> torch.Tensor:
    """Returns (B,) from features (B, channels, positions)."""
    attention = torch.softmax(query @ features, dim=-1)
    pooled = (features @ attention.transpose(1, 2)).flatten(1)  # index channel · heads + head
    return second(torch.relu(first(pooled)))[:, 0]


def gaussian_nll(period: torch.Tensor, sd: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Returns the mean of log sd + (target − period)² / (2 sd²), sd² being at least 1e-6 px²."""
    return nn.functional.gaussian_nll_loss(period, target, sd.square(), eps=1e-6)


def load(tensors: Mapping[str, np.ndarray]) -> Twin:
    """Returns a channels-last twin in eval mode with the tensors of a released file, strictly."""
    twin = Twin(
        heads=tensors["query"].shape[1],
        hidden=tensors["linear1.weight"].shape[0],
        confidence="query_sd" in tensors,
    )
    twin.load_state_dict({name: torch.from_numpy(np.array(t)) for name, t in tensors.items()})
    return channels_last(twin).eval()


def channels_last(twin: Twin) -> Twin:
    """Returns the twin with its convolutions in PyTorch's faster memory format."""
    return twin.to(memory_format=torch.channels_last)
