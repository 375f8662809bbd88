"""One container, one JupyterLab and one browser page for all the tests in this folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.browser.driver import Lab, chromium_browser, jupyterlab
from workbench import containers, engine, images
from workbench.process import SetupFailed

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def container() -> Iterator[str]:
    """A container with bash; the test fails where no engine answers."""
    name = f"ctrkernel-test-{os.getpid()}-browser"
    try:
        engine.require()
        containers.for_test(name, images.DEBIAN)
        yield name
    except SetupFailed as e:
        raise pytest.fail.Exception(str(e), pytrace=False) from None
    finally:
        containers.remove([name])


@pytest.fixture(scope="session")
def page_of_lab(
    chromium: str, container: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """JupyterLab in a browser; its kernels attach to the container by themselves."""
    folder, private = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("jupyter")
    environ = {"CTRKERNEL_TARGET": container}
    with (
        jupyterlab(folder, private, environ=environ) as address,
        chromium_browser(chromium) as browser,
    ):
        yield Lab(browser.new_page(viewport={"width": 1280, "height": 900}), address, folder)


@pytest.fixture
def lab(page_of_lab: Lab) -> Iterator[Lab]:
    """The page, with nothing open and no kernel running."""
    yield page_of_lab
    page_of_lab.close_all()
