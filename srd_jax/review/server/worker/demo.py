"""A program that draws a micrograph with grana to try the app: PATH SEED."""

import json
import pathlib
import sys
from collections.abc import Sequence

from PIL import Image

from srd_jax.support.files import whole_file
from srd_jax.synthetic.scenes import micrographs
from srd_jax.synthetic.scenes.config import ScenesConfig

# At this scale and with this little noise lamellae show well.
_PX_PER_NM, _NOISE = 0.7, (0.15, 0.35)


def main(given: Sequence[str]) -> int:
    """Draws the micrograph and prints its scale as JSON."""
    path, seed = given
    scale = (_PX_PER_NM, _PX_PER_NM)
    config = ScenesConfig(without=0.0, coarse=0.0, marked=0.0, px_per_nm=scale, noise=_NOISE)
    drawn = micrographs.draw(int(seed), config)
    with whole_file(pathlib.Path(path)) as temporary:
        Image.fromarray(drawn.grey).save(temporary, format="PNG")
    print(json.dumps({"px_per_nm": round(drawn.px_per_nm, 4)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
