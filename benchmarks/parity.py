"""Whether our network and its PyTorch twin compute the same: outputs and gradients.

    pip install '.[benchmark]'
    python benchmarks/parity.py [--weights period_model.npz]

Both get one identical float32 frame and the same weights. Exit status 1 if a difference is beyond
its limit.
"""

import argparse
import sys
from collections.abc import Mapping

import jax
import numpy as np
import torch
import torch_twin

from srd_jax import losses
from srd_jax.config import ModelConfig
from srd_jax.errors import InputError
from srd_jax.model import as_function, initial_parameters
from srd_jax.torch_weights import import_weights, torch_tensors
from srd_jax.weights import Weights

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


def random_weights(seed: int) -> Weights:
    """Returns random weights whose features vary about as much as a trained net's."""
    config = ModelConfig(confidence=True)
    drawn = initial_parameters(config, jax.random.key(seed))
    # As they are drawn, the features of all positions are equal but for 1e-3: the gradient of the
    # queries is then mostly rounding error. With this gain the kernels have He's variance.
    gains = {name: 6**0.5 if name.startswith("encoder.") else 1.0 for name in drawn}
    return Weights({n: np.asarray(value) * gains[n] for n, value in drawn.items()}, config, {})


def ours(weights: Weights, image: np.ndarray) -> Answer:
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
        prediction = jax.jit(apply)(parameters, image)
        gradients = {name: jax.jit(jax.grad(f))(parameters) for name, f in objectives.items()}
    outputs = {"period": np.asarray(prediction.period)}
    if prediction.sd is not None:
        outputs["sd"] = np.asarray(prediction.sd)
    return outputs, {name: torch_tensors(gradient) for name, gradient in gradients.items()}


def twin(weights: Weights, image: np.ndarray) -> Answer:
    """Returns the same of the PyTorch twin, in eval mode."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.allow_tf32 = False
    torch.set_float32_matmul_precision("highest")
    net = torch_twin.load(torch_tensors(weights.parameters)).to(device)
    target = torch.full((1,), TARGET, device=device)
    period, sd = net(torch.from_numpy(image)[:, None].to(device))
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
    """Returns the norm of the difference over the norm of what is expected; 0 if both are 0."""
    error = np.linalg.norm(np.subtract(found, expected, dtype=np.float64))
    size = np.linalg.norm(expected.astype(np.float64))
    return float(error / size) if size else (0.0 if error == 0 else float("inf"))


def whole(gradient: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns all tensors of a gradient as one vector."""
    return np.concatenate([gradient[name].ravel() for name in sorted(gradient)])


def compare(first: Answer, second: Answer) -> list[tuple[str, float, float]]:
    """Returns name, relative difference and its limit of everything that is compared."""
    rows = [(n, difference(first[0][n], v), OUTPUT_LIMIT) for n, v in second[0].items()]
    for loss, expected in second[1].items():
        found = first[1][loss]
        name = f"gradient of {loss}"
        rows.append((name, difference(whole(found), whole(expected)), GRADIENT_LIMIT))
        rows += [
            (f"{name}: {tensor}", difference(found[tensor], value), GRADIENT_LIMIT)
            for tensor, value in expected.items()
        ]
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
    (outputs, gradients), reference = ours(weights, image), twin(weights, image)
    print(f"jax {jax.__version__} on {jax.default_backend()}, torch {torch.__version__}")
    print(f"period {outputs['period'][0]:.6f} px, twin {reference[0]['period'][0]:.6f} px")
    rows = compare((outputs, gradients), reference)
    for name, value, limit in rows:
        print(f"{name:45} {value:.1e}  limit {limit:.0e}  {'ok' if value < limit else 'BEYOND'}")
    return 0 if all(value < limit for _, value, limit in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
