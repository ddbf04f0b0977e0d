"""Compares outputs and gradients of our network and of its PyTorch twin.

    pip install '.[benchmark]'
    python benchmarks/parity.py [--weights period_model.npz]

Both get the same float32 frame and weights. The exit status is 1 if a difference is beyond its
limit. The last two columns compare with the twin in float64: the error of float32 itself. Some
other random weights (--seed) or frames give differences of 1e-3, because the gradient of a max-pool
jumps between pixels that differ by rounding only.

Needs: torch (pip install '.[benchmark]').
Takes: about 1 min on 2 cores.
Writes: a table to the terminal.
"""

import argparse
import sys
from collections.abc import Mapping

import jax
import numpy as np
import torch
import torch_twin

from srd_jax.support.compiling import jit
from srd_jax.support.errors import InputError
from srd_jax.tasks.period import losses
from srd_jax.tasks.period.config import ModelConfig
from srd_jax.tasks.period.model import as_function, random_parameters
from srd_jax.tasks.period.torch_weights import import_weights, torch_tensors
from srd_jax.tasks.period.weights import PeriodWeights

OUTPUT_LIMIT, GRADIENT_LIMIT = 1e-5, 1e-4
ROWS, TARGET = 476, 60.0  # px of the frame

Answer = tuple[dict[str, np.ndarray], dict[str, dict[str, np.ndarray]]]


def frame(width: int, seed: int) -> np.ndarray:
    """Returns noisy stripes of 47.3 px under an elliptic mask, (1, ROWS, width), grey 0..1."""
    random = np.random.default_rng(seed)
    rows, columns = np.indices((ROWS, width)) / [[[ROWS]], [[width]]] - 0.5
    stripes = 0.45 + 0.3 * np.sin(2 * np.pi * rows * ROWS / 47.3)
    grey = np.clip(stripes + random.normal(0, 0.1, stripes.shape), 0, 1)
    return np.where(np.hypot(rows, columns) < 0.49, grey, 0)[None].astype(np.float32)


def random_weights(seed: int) -> PeriodWeights:
    """Returns random weights whose features and attention vary about as much as a trained net's.

    With initial weights, the features of all positions agree to a part in 1000, and the gradient of
    the queries is mostly rounding error.
    """
    config = ModelConfig(confidence=True)
    gains = {"kernel": 5**0.5, "queries": 0.3, "bias": 1.0}
    parameters = {}
    for name, value in random_parameters(config, jax.random.key(seed)).items():
        gain = 1.0 if "regressor" in name else gains[name.rsplit(".", 1)[1]]
        parameters[name] = gain * np.asarray(value)
    return PeriodWeights(parameters, config, {})


def ours(weights: PeriodWeights, image: np.ndarray) -> Answer:
    """Returns outputs, and the gradients of each loss under PyTorch's names."""
    apply = as_function(weights.model)
    target = np.full(1, TARGET, np.float32)

    def mse(parameters):
        return losses.mse(apply(parameters, image).period, target).mean()

    def nll(parameters):
        prediction = apply(parameters, image)
        return losses.gaussian_nll(prediction.period, prediction.sd, target).mean()

    objectives = {"MSE": mse} | ({"Gaussian NLL": nll} if weights.model.confidence else {})
    parameters = jax.tree.map(jax.numpy.asarray, weights.parameters)
    with jax.default_matmul_precision("highest"):
        prediction = jit(apply)(parameters, image)
        gradients = {name: jit(jax.grad(f))(parameters) for name, f in objectives.items()}
    outputs = {"period": np.asarray(prediction.period)}
    if prediction.sd is not None:
        outputs["sd"] = np.asarray(prediction.sd)
    return outputs, {name: torch_tensors(gradient) for name, gradient in gradients.items()}


def twin(weights: PeriodWeights, image: np.ndarray, dtype: torch.dtype) -> Answer:
    """Returns outputs and gradients of the PyTorch twin in eval mode, computed in `dtype`."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.allow_tf32 = False
    torch.set_float32_matmul_precision("highest")
    net = torch_twin.load(torch_tensors(weights.parameters)).to(device, dtype)
    target = torch.full((1,), TARGET, device=device, dtype=dtype)
    period, sd = net(torch.from_numpy(image)[:, None].to(device, dtype))
    outputs = {"period": period.detach().cpu().numpy()}
    objectives = {"MSE": torch.nn.functional.mse_loss(period, target)}
    if sd is not None:
        outputs["sd"] = sd.detach().cpu().numpy()
        objectives["Gaussian NLL"] = torch_twin.gaussian_nll(period, sd, target)
    names, values = zip(*net.named_parameters(), strict=True)
    gradients = {}
    for loss, objective in objectives.items():
        found = torch.autograd.grad(objective, values, retain_graph=True, materialize_grads=True)
        gradients[loss] = {n: g.cpu().numpy() for n, g in zip(names, found, strict=True)}
    return outputs, gradients


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    """Returns the norm of the difference over the norm of `expected`; 0 if both are 0."""
    error = np.linalg.norm(np.subtract(found, expected, dtype=np.float64))
    size = np.linalg.norm(expected.astype(np.float64))
    return float(error / size) if size else (0.0 if error == 0 else float("inf"))


def whole(gradient: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns all tensors of a gradient as one vector."""
    return np.concatenate([gradient[name].ravel() for name in sorted(gradient)])


def compare(first: Answer, second: Answer) -> dict[str, float]:
    """Returns the relative differences of all outputs and then of all gradients, by name."""
    rows = {name: difference(first[0][name], value) for name, value in second[0].items()}
    for loss, expected in second[1].items():
        found = first[1][loss]
        name = f"gradient of {loss}"
        rows[name] = difference(whole(found), whole(expected))
        for tensor, value in expected.items():
            rows[f"{name}: {tensor}"] = difference(found[tensor], value)
    return rows


def main() -> int:
    """Prints the table of differences and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", help="PyTorch's names, .npz, .ckpt or .safetensors")
    parser.add_argument("--width", type=int, default=476, help="columns of the frame")
    parser.add_argument("--seed", type=int, default=0, help="of the frame and random weights")
    arguments = parser.parse_args()
    try:
        ModelConfig().geometry.grid(ROWS, arguments.width)
        path, seed = arguments.weights, arguments.seed
        weights = import_weights(path) if path else random_weights(seed)
    except InputError as error:
        parser.error(str(error))
    image = frame(arguments.width, arguments.seed)
    our, single, double = (
        ours(weights, image),
        twin(weights, image, torch.float32),
        twin(weights, image, torch.float64),
    )
    print(f"jax {jax.__version__} on {jax.default_backend()}, torch {torch.__version__}")
    print(f"period {our[0]['period'][0]:.6f} px, twin {single[0]['period'][0]:.6f} px")
    print(f"{'relative difference':40} ours-twin    limit  ours-twin64  twin-twin64")
    within = True
    columns = compare(our, single), compare(our, double), compare(single, double)
    for name, value in columns[0].items():
        limit = GRADIENT_LIMIT if name.startswith("gradient") else OUTPUT_LIMIT
        within &= value < limit
        figures = f"{value:9.1e} {limit:8.0e} {columns[1][name]:12.1e} {columns[2][name]:12.1e}"
        print(f"{name:40} {figures}{'' if value < limit else '  BEYOND'}")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
