"""A residual network as large as a test needs."""

import pytest
import torch
from torch import nn


class Block(nn.Module):
    """Two convolutions and a way past them, the last steps in place as in most such networks."""

    def __init__(self, into, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(into, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.past = nn.Conv2d(into, out, 1, stride, bias=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        y += self.past(x)
        return self.relu(y)


class Residual(nn.Module):
    """Spectrograms (batch, bands, frames), or with a channel, -> (batch, 3)."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 7, 2, 3, bias=False)
        self.bn = nn.BatchNorm2d(4)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = Block(4, 6, 1)
        self.layer2 = Block(6, 8, 2)
        self.dropout = nn.Dropout(0.5)
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        x = x.reshape(len(x), 1, *x.shape[-2:])
        x = self.layer2(self.layer1(self.pool(torch.relu(self.bn(self.conv(x))))))
        return self.last(self.dropout(x.mean((2, 3))))


@pytest.fixture
def residual():
    """Built by arithmetic, so that another tool can be asked about the same network."""
    network = Residual()
    for name, values in network.state_dict().items():
        steps = torch.sin(1 + 0.7 * torch.arange(values.numel(), dtype=torch.float32) ** 1.3)
        if name.endswith("running_var") or ("bn" in name and name.endswith("weight")):
            steps = 1 + 0.5 * steps
        values.copy_(steps.reshape(values.shape) if values.ndim else values)
    return network.eval()
