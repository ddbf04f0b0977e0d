import shutil
import subprocess

import pytest

from srd_jax.training.provenance import commit


def git(folder, *arguments):
    plain = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    done = subprocess.run(plain, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_commit_of_a_file(tmp_path):
    file, other = tmp_path / "a.py", tmp_path / "b.py"
    file.write_text("1")
    assert commit(str(file)) == ""
    git(tmp_path, "init")
    # A package that is installed somewhere below another project's repository is not of it.
    git(tmp_path, "commit", "--allow-empty", "-m", "first")
    assert commit(str(file)) == ""
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-m", "second")
    head = git(tmp_path, "rev-parse", "HEAD")
    other.write_text("2")
    assert commit(str(file)) == head
    file.write_text("3")
    assert commit(str(file)) == head + "+"
