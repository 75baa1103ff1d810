"""Without a language model, whoever needs one is told how to choose one."""

import pytest

from voxplain import plugins
from voxplain.errors import ConfigError


def test_none_says_which_there_are():
    with pytest.raises(ConfigError, match="none is chosen") as caught:
        plugins.find("llms", "none").load(model="tiny")
    others = set(plugins.names("llms")) - {"none"}
    assert [name for name in others if name not in str(caught.value)] == []


@pytest.mark.parametrize("name", plugins.names("llms"))
def test_every_way_has_a_card_and_a_builder(name):
    plugin = plugins.find("llms", name)
    assert plugin.CARD.title
    assert callable(plugin.load)
    assert plugin.CARD.sends == (name == "openai_compatible")
