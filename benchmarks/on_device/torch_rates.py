"""Measures the PyTorch twin: ms an image of training steps and forward passes, in its best forms.

All rows are channels-last. "compiled" is torch.compile with CUDA graphs (mode reduce-overhead).
"""

import pathlib
import sys
import time
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import torch
import torch_twin
from common import Results, options_of, seconds_a_call

# What is done, in which form, by which type of numbers, with how many images, of how many columns.
CASES = (
    ("training", "compiled", "bfloat16", 64, 476),
    ("forward", "compiled", "bfloat16", 64, 476),
    ("training", "as it comes", "bfloat16", 64, 476),
    ("forward", "as it comes", "bfloat16", 64, 476),
    ("training", "as it comes", "tf32", 64, 476),
    ("forward", "as it comes", "tf32", 64, 476),
    ("training", "compiled", "bfloat16", 256, 476),
    ("training", "compiled", "tf32", 64, 476),
    ("training", "compiled", "bfloat16", 256, 142),
)
SMOKE = (("training", "as it comes", "bfloat16", 2, 62), ("forward", "as it comes", "tf32", 2, 62))
ROWS = 476  # px of the frame
AIM_SECONDS = 0.4


def main() -> None:
    """Writes a row for each case."""
    options = options_of(str(__doc__))
    results = Results(options.out, options.seconds)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    longest = 0.0
    for what, form, dtype, batch, columns in SMOKE if options.smoke else CASES:
        key = dict(what=what, form=form, dtype=dtype, batch=batch, columns=columns)
        if results.has(**key):
            continue
        if results.left() < longest:
            print(f"no time left for {key} and what follows")
            return
        began = time.monotonic()
        torch._dynamo.reset()
        work = WORKS[what](form == "compiled", dtype == "bfloat16", batch, columns)
        for _ in range(4):  # compiles, tunes and records
            work()
        wait()
        compile_seconds = time.monotonic() - began
        again = time.perf_counter()
        work()
        wait()
        calls = max(1, min(1000, int(AIM_SECONDS / (time.perf_counter() - again))))
        seconds = seconds_a_call(work, wait, calls)
        results.add(
            **key,
            ms_an_image=1e3 * seconds / batch,
            images_a_second=batch / seconds,
            compile_seconds=compile_seconds,
        )
        longest = max(longest, time.monotonic() - began)
    results.finish()


def device() -> str:
    """Returns the device's type."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def wait() -> None:
    """Waits for the device."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def data(batch: int, columns: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns random images, channels-last, and periods."""
    torch.manual_seed(0)
    image = torch.rand(batch, 1, ROWS, columns, device=device())
    target = 20 + 120 * torch.rand(batch, device=device())
    return image.contiguous(memory_format=torch.channels_last), target


def training(compiled: bool, bfloat16: bool, batch: int, columns: int) -> Callable[[], None]:
    """Returns forward, backward and fused AdamW on one batch."""
    net = torch_twin.channels_last(torch_twin.Twin()).to(device()).train()
    update = torch.optim.AdamW(net.parameters(), 1e-4, weight_decay=0.01, fused=True)
    image, target = data(batch, columns)

    def loss():
        with torch.autocast(device(), torch.bfloat16, enabled=bfloat16):
            period, sd = net(image)
        return torch_twin.gaussian_nll(period.float(), sd.float(), target)

    objective = torch.compile(loss, mode="reduce-overhead") if compiled else loss

    def work():
        torch.compiler.cudagraph_mark_step_begin()
        update.zero_grad(set_to_none=True)
        objective().backward()
        update.step()

    return work


def forward(compiled: bool, bfloat16: bool, batch: int, columns: int) -> Callable[[], None]:
    """Returns the forward pass of one batch in inference mode."""
    net = torch_twin.channels_last(torch_twin.Twin()).to(device()).eval()
    image, _ = data(batch, columns)
    call = torch.compile(net, mode="reduce-overhead") if compiled else net

    @torch.inference_mode()
    def work():
        torch.compiler.cudagraph_mark_step_begin()
        with torch.autocast(device(), torch.bfloat16, enabled=bfloat16):
            call(image)

    return work


WORKS = {"training": training, "forward": forward}


if __name__ == "__main__":
    main()
