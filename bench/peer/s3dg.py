"""S3D-G in PyTorch as one would write it: separable convolutions with batch norm and ReLU, self-gating, at any width.

`stem`: "separable", "dense" (3x7x7 in one) or "space_to_depth" (4x8x8); `motion=True`: grey level and its changes as input. Weights are random: they
do not change the time.
"""
import torch
from torch import nn

MIXED = [  # b0, b1 reduce, b1, b2 reduce, b2, b3; None: the pool before the next block
    (64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), None,
    (192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128), None,
    (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128),
]


class Conv(nn.Sequential):
    def __init__(self, inputs, outputs, kernel, stride=(1, 1, 1)):
        padding = tuple((k - 1) // 2 for k in kernel)
        super().__init__(nn.Conv3d(inputs, outputs, kernel, stride, padding, bias=False),
                         nn.BatchNorm3d(outputs, eps=1e-3), nn.ReLU(inplace=True))


def separable(inputs, outputs, k, s=1):
    return nn.Sequential(Conv(inputs, outputs, (1, k, k), (1, s, s)), Conv(outputs, outputs, (k, 1, 1), (s, 1, 1)))


class Gate(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc = nn.Linear(channels, channels)

    def forward(self, x):
        return x * torch.sigmoid(self.fc(x.mean(dim=(2, 3, 4))))[:, :, None, None, None]


class Mixed(nn.Module):
    def __init__(self, inputs, b0, r1, b1, r2, b2, b3):
        super().__init__()
        one = (1, 1, 1)
        self.b0 = nn.Sequential(Conv(inputs, b0, one), Gate(b0))
        self.b1 = nn.Sequential(Conv(inputs, r1, one), separable(r1, b1, 3), Gate(b1))
        self.b2 = nn.Sequential(Conv(inputs, r2, one), separable(r2, b2, 3), Gate(b2))
        self.b3 = nn.Sequential(nn.MaxPool3d(3, 1, 1), Conv(inputs, b3, one), Gate(b3))

    def forward(self, x):
        return torch.cat([self.b0(x), self.b1(x), self.b2(x), self.b3(x)], 1)


class S3DG(nn.Module):
    def __init__(self, width=1.0, classes=400, stem="separable", motion=False):
        super().__init__()
        w = lambda channels: max(1, round(channels * width))
        whole = {"dense": (3, 7, 7), "space_to_depth": (4, 8, 8)}
        first = separable(3, w(64), 7, 2) if stem == "separable" else Conv(3, w(64), whole[stem], (2, 2, 2))
        spatial = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))
        layers = [first, spatial, Conv(w(64), w(64), (1, 1, 1)), separable(w(64), w(192), 3), Gate(w(192)),
                  nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))]
        channels, pools = w(192), [nn.MaxPool3d(3, 2, 1), nn.MaxPool3d(2, 2)]
        for block in MIXED:
            if block is None:
                layers.append(pools.pop(0))
                continue
            sizes = [w(c) for c in block]
            layers.append(Mixed(channels, *sizes))
            channels = sizes[0] + sizes[2] + sizes[4] + sizes[5]
        self.body, self.fc, self.motion = nn.Sequential(*layers), nn.Linear(channels, classes), motion
        self.register_buffer("mean", torch.tensor([0.43216, 0.394666, 0.37645]).view(1, 3, 1, 1, 1))
        self.register_buffer("std", torch.tensor([0.22803, 0.22145, 0.216989]).view(1, 3, 1, 1, 1))

    channels_last = False

    def forward(self, pixels):
        """uint8 [t, h, w, 3] -> logits [1, classes]"""
        x = pixels.permute(3, 0, 1, 2)[None].float() / 255
        if self.motion:
            grey = ((x * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1, 1)).sum(1, keepdim=True) - 0.5) / 0.25
            change = torch.diff(grey, dim=2, prepend=grey[:, :, :1])
            x = torch.cat([grey, change, change.abs()], 1)
        else:
            x = (x - self.mean) / self.std
        if self.channels_last:
            x = x.contiguous(memory_format=torch.channels_last_3d)
        return self.fc(self.body(x).mean(dim=(2, 3, 4)))
