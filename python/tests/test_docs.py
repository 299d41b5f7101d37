"""Runs every example of the guide, and compares the output."""

import doctest
import re

import pytest
import services

import bigtrace
import rooms


def test_examples_of_the_guide(samples: services.Service, monkeypatch: pytest.MonkeyPatch, tmp_path):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("BIGTRACE_ORCHESTRATOR", samples.address)
    monkeypatch.chdir(tmp_path)
    text = rooms.GUIDE.read_text()
    blocks = re.findall(r"^```pycon\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) > 8
    assert not re.search(r"^```python", text, re.MULTILINE), "write examples as pycon, so that this test runs them"
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    example = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "guide", str(rooms.GUIDE), 0)
    runner = doctest.DocTestRunner(optionflags=flags)
    output: list[str] = []
    runner.run(example, out=output.append)
    assert runner.failures == 0, "".join(output)


def test_the_guide_names_every_public_name():
    text = rooms.GUIDE.read_text()
    words = set(re.findall(r"\w+", text))
    assert set(bigtrace.__all__) - {"load_ipython_extension"} <= words
    options = set(bigtrace.QueryOptions.__annotations__)
    assert options <= set(re.findall(r"`(\w+)", text))
