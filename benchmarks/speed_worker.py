"""Measures one side of the speed comparison, on requests from standard input.

`speed.py` starts it as `speed_worker.py FRAMEWORK OPTIONS-AS-JSON` and writes task names, one a
line. The answer to each is a line of JSON, the milliseconds an image. Only the measured framework
is imported.
"""

import functools
import json
import os
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

ROWS = 476  # px of the frame
LEARNING_RATE, WEIGHT_DECAY = 1e-3, 0.01

Task = Callable[[], None]


def data(options: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Returns images (steps, batch, ROWS, width), grey 0..1, and periods (steps, batch), px."""
    random = np.random.default_rng(0)
    lead = options["steps"], options["batch"]
    period = random.uniform(20, 140, lead)
    phase = np.arange(ROWS) / period[..., None]
    stripes = 0.5 + 0.3 * np.sin(2 * np.pi * phase)[..., None]
    noise = 0.1 * random.standard_normal((*lead, ROWS, options["width"]), np.float32)
    return np.clip(stripes + noise, 0, 1).astype(np.float32), period.astype(np.float32)


def ours(options: dict[str, Any]) -> tuple[dict[str, Task], dict[str, str]]:
    """Returns our tasks, a scan of training steps and a forward pass, and version and device."""
    import jax
    import jax.numpy as jnp

    from srd_jax.support import process
    from srd_jax.support.compiling import jit, over_images
    from srd_jax.synthetic.batch import Batch
    from srd_jax.tasks.make import make_task
    from srd_jax.tasks.period.config import LossConfig, ModelConfig, PeriodConfig
    from srd_jax.tasks.period.model import as_function, random_parameters
    from srd_jax.training import optimizer
    from srd_jax.training.config import OptimizerConfig
    from srd_jax.training.steps import TrainState, train_step

    process.keep_memory()  # as each command does
    config = PeriodConfig(
        model=ModelConfig(confidence=True),
        loss=LossConfig("gaussian_nll"),
        optimizer=OptimizerConfig("adamw", LEARNING_RATE, WEIGHT_DECAY, schedule="constant"),
    )
    task, update = make_task(config, pathlib.Path()), optimizer.make(config)
    apply = as_function(config.model)
    parameters = random_parameters(config.model, jax.random.key(0))
    images, periods = jax.tree.map(jnp.asarray, data(options))
    batches = Batch(images, jnp.ones(images.shape, bool), periods)
    key = jax.random.key(1)

    def step(state, batch):
        return train_step(config, task, update, state, batch, jax.random.fold_in(key, state.step))

    scan = jit(lambda state, batches: jax.lax.scan(step, state, batches), donate_argnums=0)
    forward = jit(
        lambda parameters, image: over_images(functools.partial(apply, parameters), image)
    )
    copies = (jax.tree.map(jnp.copy, parameters) for _ in range(2))
    states = [TrainState(jnp.int32(0), *copies, update.init(parameters))]

    def training():
        state, metrics = scan(states.pop(), batches)
        states.append(jax.block_until_ready(state))
        if not np.isfinite(metrics["loss"]).all():
            raise FloatingPointError("our loss is not finite")

    def passes():
        for image in images:
            jax.block_until_ready(forward(parameters, image))

    device = jax.devices()[0]
    about = {"version": f"jax {jax.__version__}", "platform": device.platform}
    return {"training": training, "forward": passes}, about | {"device": device.device_kind}


def pytorch(options: dict[str, Any]) -> tuple[dict[str, Task], dict[str, str]]:
    """Returns PyTorch's tasks, and version and device."""
    import torch
    import torch_twin

    cuda = torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.set_float32_matmul_precision("high")  # TF32 on a GPU, as JAX's default there
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(0)
    net = torch_twin.channels_last(torch_twin.Twin()).to(device)
    update = torch.optim.AdamW(
        net.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True
    )
    call = torch.compile(net) if options["compile"] else net
    images, periods = (torch.from_numpy(array).to(device) for array in data(options))
    images = [i[:, None].contiguous(memory_format=torch.channels_last) for i in images]

    def wait():
        if cuda:
            torch.cuda.synchronize()

    def training():
        net.train()
        for image, target in zip(images, periods, strict=True):
            update.zero_grad(set_to_none=True)
            loss = torch_twin.gaussian_nll(*call(image), target)
            loss.backward()
            update.step()
        wait()
        if not torch.isfinite(loss):
            raise FloatingPointError("PyTorch's loss is not finite")

    @torch.inference_mode()
    def passes():
        net.eval()
        for image in images:
            call(image)
            wait()

    about = {"version": f"torch {torch.__version__}", "platform": "gpu" if cuda else "cpu"}
    name = torch.cuda.get_device_name() if cuda else f"cpu, {torch.get_num_threads()} threads"
    return {"training": training, "forward": passes}, about | {"device": name}


def main() -> None:
    """Warms both tasks up, prints a line about the framework, and answers requests."""
    framework, options = sys.argv[1], json.loads(sys.argv[2])
    tasks, about = {"ours": ours, "torch": pytorch}[framework](options)
    for task in tasks.values():
        task()
        task()
    print(json.dumps(about), flush=True)
    images = options["steps"] * options["batch"]
    for line in sys.stdin:
        task = tasks[line.strip()]
        tasks["forward"]()  # wakes the threads, and the clock, after the other sides' turns
        start = time.perf_counter()
        task()
        print(json.dumps(1e3 * (time.perf_counter() - start) / images), flush=True)


if __name__ == "__main__":
    main()
