"""Measures a folder's periods as the reference does: one side of `predict.py`.

`predict.py` starts it as `predict_worker.py FOLDER OUT.csv`. Each image is read by Pillow, resized
by scikit-image with a cubic spline, and measured alone by the network in PyTorch, on all cores. Its
weights are random, which changes no time.
"""

import csv
import os
import pathlib
import sys

import numpy as np
import torch
import torch_twin
from PIL import Image
from skimage.transform import resize

FRAME = (476, 476)  # px


def main() -> None:
    """Writes a row an image: file, period in px of the image, sd."""
    folder, out = map(pathlib.Path, sys.argv[1:])
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(0)
    net = torch_twin.channels_last(torch_twin.Twin()).eval()
    with torch.inference_mode(), out.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("file", "period_px", "sd_px"))
        for path in sorted(folder.glob("*.png")):
            with Image.open(path) as image:
                grey = np.asarray(image.convert("L"), np.float32) / 255
            frame = np.asarray(resize(grey, FRAME, order=3), np.float32)
            period, sd = net(torch.from_numpy(frame)[None, None])
            back = grey.shape[0] / FRAME[0]
            rows.writerow((path, float(period) * back, float(sd) * back))


if __name__ == "__main__":
    main()
