import pytest
from helpers.processes import free_port


@pytest.fixture
def address():
    """An address on this machine where nobody listens."""
    return f"127.0.0.1:{free_port()}"
