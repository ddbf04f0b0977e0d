"""The network of the reference in float64, written from its description."""

import math

import numpy as np


def forward(parameters, image):
    """Period, sd and attention (pools, heads, rows, columns) of one image (rows, columns)."""
    weights = {name: np.asarray(value, np.float64) for name, value in parameters.items()}
    features = ((np.asarray(image, np.float64) - 0.2845) / 0.1447)[..., None]
    layer = 0
    for convolutions in (2, 2, 2, 2, 1, 1):
        for position in range(convolutions):
            if position:
                features = np.maximum(features, 0)
            patches = np.lib.stride_tricks.sliding_window_view(features, (3, 3), (0, 1))
            kernel = weights[f"encoder.convolutions.{layer}.kernel"]
            features = np.tensordot(patches, kernel, ((3, 4, 2), (0, 1, 2)))
            features = features + weights[f"encoder.convolutions.{layer}.bias"]
            layer += 1
        height = features.shape[0] // 2
        features = features[: 2 * height].reshape(height, 2, *features.shape[1:]).max(1)
        if layer == 2:
            width = features.shape[1] // 2
            features = features[:, : 2 * width].reshape(height, width, 2, -1).max(2)
    answers, maps = [], []
    for branch in ("period", "sd"):
        pooled, attention = pool_loop(features, weights[f"{branch}_pool.queries"])
        hidden, output = (
            [weights[f"{branch}_regressor.{layer}.{part}"] for part in ("kernel", "bias")]
            for layer in ("hidden", "output")
        )
        active = np.maximum(pooled @ hidden[0] + hidden[1], 0)
        answers.append((active @ output[0] + output[1]).item())
        maps.append(attention)
    return 220 / answers[0], math.exp(answers[1]), np.array(maps)


def pool_loop(features, queries):
    """The attention pool of one image by loops: pooled (C·H,), attention (H, rows, columns)."""
    rows, columns, channels = features.shape
    pooled = np.zeros(channels * len(queries))
    attention = np.zeros((len(queries), rows, columns))
    for h, query in enumerate(queries):
        for i in range(rows):
            for j in range(columns):
                attention[h, i, j] = math.exp(sum(query * features[i, j]))
        attention[h] /= attention[h].sum()
        for c in range(channels):
            pooled[c * len(queries) + h] = (attention[h] * features[..., c]).sum()
    return pooled, attention
