import pathlib

import numpy as np
import pytest
from helpers.command import numbers, read, refused, run
from helpers.torch_files import synthetic, write

from srd_jax.tasks.period import torch_weights


def test_import_and_export_weights(tmp_path, capsys):
    source = write(tmp_path / "released.npz", synthetic())
    ours, torch = tmp_path / "ours.safetensors", tmp_path / "torch.safetensors"
    assert run("import-weights", source, "--out", ours) == 0
    assert "84,738 weights in 30 tensors" in capsys.readouterr().out
    assert run("export-weights", ours, "--torch", torch) == 0
    found = torch_weights.read_tensors(torch)
    assert sorted(found) == sorted(synthetic())
    for name, value in synthetic().items():
        np.testing.assert_array_equal(found[name], value)
    assert "no such weights file" in refused(
        capsys, "import-weights", tmp_path / "none.npz", "--out", ours
    )


@pytest.mark.parametrize("suffix", [".npz", ".ckpt"])
def test_released_weights_on_real_crops(tmp_path, suffix, capsys, reference_dir):
    real, released = reference_dir / "real_grana", reference_dir / "reference"
    ours, out = tmp_path / "weights.safetensors", tmp_path / "r.csv"
    assert run("import-weights", released / f"period_model{suffix}", "--out", ours) == 0
    annotations = ("--annotations", real / "annotations.csv")
    options = ("--weights", ours, "--out", out, "--batch-size", 2, *annotations)
    assert run("predict", real, "--method", "network", *options) == 0
    known = {row["granum_image"]: row for row in read(real / "annotations.csv")}
    rows = read(out)
    assert len(rows) == len(known) == 8
    expected = [known[pathlib.Path(row["file"]).name] for row in rows]
    np.testing.assert_allclose(
        numbers(rows, "period_px", "sd_px"),
        numbers(expected, "reference_period_px", "reference_sd_px"),
        rtol=1e-3,
    )
    # The reference's own mean errors, over all crops and over those that it trusts.
    shown = capsys.readouterr().out
    assert "error 4.52 px over 8 of 8 crops; only ok ones: 0.55 px over 5" in shown
