"""What the examples in docstrings and documents may use without importing it."""

import os

import numpy as np
import pytest

import kobai

# The texts that tests and examples expect are the English ones, whatever the machine speaks.
os.environ["KOBAI_LANG"] = "en"

# The start-up file of child processes, which importing would change this one; and programs, which `kobai run` runs.
collect_ignore_glob = ["src/kobai/compat/children/*", "src/kobai/playground/examples/*"]


@pytest.fixture(autouse=True, scope="session")
def names_of_examples(doctest_namespace):
    """`kobai` and `np`; and `torch`, which is kobai as in a program under `kobai run`."""
    doctest_namespace.update(kobai=kobai, torch=kobai, np=np)


def pytest_xdist_auto_num_workers(config):
    """`-n auto`: as many as this process may have cores, which a container may have fewer of than its machine."""
    return min(kobai.get_num_threads(), 8)


def pytest_runtest_setup(item):
    """The examples of Japanese documents (README.ja.md, docs/learn/ja) show the Japanese texts."""
    japanese = item.path.suffix == ".md" and ("ja" in item.path.parts or ".ja." in item.path.name)
    os.environ["KOBAI_LANG"] = "ja" if japanese else "en"
