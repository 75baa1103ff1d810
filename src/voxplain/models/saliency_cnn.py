"""The small residual network that Nasr et al. (2025, arXiv 2511.11691) explain."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["ResidualBlock", "SaliencyCNN"]


class SaliencyCNN(nn.Module):
    """A spectrogram (batch, 1, bands, frames) -> logits (batch, labels).

    With 128 bands and 134 frames the maps are (32, 64, 67), (64, 32, 34) and (128, 16, 17).
    """

    def __init__(self, *, labels: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 7, stride=2, padding=3, bias=False)
        self.norm1 = nn.BatchNorm2d(32)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = ResidualBlock(32, 64, stride=1)
        self.layer2 = ResidualBlock(64, 128, stride=2)
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(128, labels)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Logits of the labels."""
        x = self.pool(self.relu(self.norm1(self.conv1(spectrogram))))
        x = self.mean(self.layer2(self.layer1(x))).flatten(1)
        return self.classify(self.dropout(x))


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut (He et al. 2016), which here is not normalised."""

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, rows, columns) -> (batch, outputs, rows / stride, columns / stride)."""
        inner = self.norm2(self.conv2(self.relu1(self.norm1(self.conv1(x)))))
        return self.relu2(inner + self.shortcut(x))
