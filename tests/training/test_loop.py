"""The loop learns what can be learned, and a prediction depends on its recording alone."""

import pytest
import torch
from torch.nn import functional

from voxplain.models.speech_network import AttentiveHead
from voxplain.training.loop import Schedule, fit, predict

WIDTH = 6
SCHEDULE = Schedule(epochs=12, batch=8, learning_rate=0.01, weight_decay=0.01, mixup=0.4)


def recordings(n, *, seed, classes=2):
    """States of 3-30 frames in which one of the first dimensions is raised, and which one."""
    random = torch.Generator().manual_seed(seed)
    targets = torch.arange(n) % classes
    states = []
    for target in targets:
        frames = int(torch.randint(3, 31, (), generator=random))
        state = torch.randn(frames, WIDTH, generator=random)
        state[:, target] += 2
        states.append(state.half())
    return states, targets


def trained(seed, *, schedule=SCHEDULE, classes=2, heard=None):
    torch.manual_seed(0)
    head = AttentiveHead(WIDTH, channels=8, classes=classes, dropout=0.1)
    torch.seed()  # what happened before must not matter
    fit(head, *(heard or recordings(48, seed=0)), schedule, seed=seed)
    return head


@pytest.fixture(scope="module")
def head():
    return trained(0)


def weights(network):
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def test_what_can_be_separated_is_learned(head):
    states, targets = recordings(60, seed=1)
    assert (predict(head, states).argmax(1) == targets).float().mean() > 0.95


def test_after_training_nothing_is_dropped_out(head):
    assert not head.training
    states, _ = recordings(5, seed=2)
    assert torch.equal(predict(head, states), predict(head, states))


@pytest.mark.parametrize("batch", [2, 7, 64])
def test_a_prediction_does_not_depend_on_its_company(head, batch):
    states, _ = recordings(20, seed=3)
    alone = torch.cat([predict(head, [state]) for state in states])
    torch.testing.assert_close(predict(head, states, batch=batch), alone, atol=1e-5, rtol=0)


def test_padding_is_not_heard(head):
    state = recordings(1, seed=4)[0][0].float()
    padded = torch.cat([state, 100 * torch.randn(10, WIDTH)])
    mask = torch.arange(len(padded)) < len(state)
    with torch.inference_mode():
        alone = head(state[None], torch.ones(1, len(state), dtype=torch.bool))
        together = head(padded[None], mask[None])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_the_same_seed_gives_the_same_network(head):
    assert torch.equal(weights(trained(0)), weights(head))


def test_another_seed_gives_another_network(head):
    assert not torch.equal(weights(trained(1)), weights(head))


def test_a_class_that_was_not_heard_is_no_trouble():
    states, targets = recordings(16, seed=0)
    schedule = Schedule(epochs=1, batch=8, learning_rate=0.01, weight_decay=0.0, mixup=0.4)
    network = trained(0, schedule=schedule, classes=3, heard=(states, targets))
    assert predict(network, states).shape == (16, 3)


def test_batches_may_leave_a_rest():
    schedule = Schedule(epochs=2, batch=7, learning_rate=0.01, weight_decay=0.0, mixup=0.4)
    trained(0, schedule=schedule, heard=recordings(16, seed=0))


def test_recordings_and_what_they_are_called_are_mixed_alike(monkeypatch):
    mixed, aims = [], []

    class Mirror(torch.nn.Linear):
        def forward(self, states, mask):
            assert mask[:, 0].all()
            mixed.append(states[:, 0])
            return super().forward(states[:, 0])

    def spy(logits, aim):
        aims.append(aim)
        return logits.sum()

    monkeypatch.setattr(functional, "cross_entropy", spy)
    targets = torch.arange(24) % 3
    states = [functional.one_hot(targets[row], 3).repeat(2 + row % 5, 1) for row in range(24)]
    fit(Mirror(3, 3), states, targets, SCHEDULE, seed=0)
    mixed, aims = torch.cat(mixed), torch.cat(aims)
    torch.testing.assert_close(aims, mixed)  # a recording's frames say which class it is of
    assert 0.5 <= aims.amax(1).min() < 0.9
