"""How layers print: every line is what PyTorch 2.13 prints."""
import pytest

import kobai
from kobai import nn

PRINTED = [
    ("nn.Linear(3, 2)", "Linear(in_features=3, out_features=2, bias=True)"),
    ("nn.Linear(3, 2, bias=False)", "Linear(in_features=3, out_features=2, bias=False)"),
    ("nn.Bilinear(2, 3, 2)", "Bilinear(in1_features=2, in2_features=3, out_features=2, bias=True)"),
    ("nn.LazyLinear(2)", "LazyLinear(in_features=0, out_features=2, bias=True)"),
    ("nn.LeakyReLU(0.2)", "LeakyReLU(negative_slope=0.2)"),
    ("nn.RReLU()", "RReLU(lower=0.125, upper=0.3333333333333333)"),
    ("nn.PReLU()", "PReLU(num_parameters=1)"),
    ("nn.PReLU(3)", "PReLU(num_parameters=3)"),
    ("nn.ELU()", "ELU(alpha=1.0)"),
    ("nn.CELU(1.5)", "CELU(alpha=1.5)"),
    ("nn.GELU()", "GELU(approximate='none')"),
    ('nn.GELU(approximate="tanh")', "GELU(approximate='tanh')"),
    ("nn.Hardtanh(-0.5, 0.5)", "Hardtanh(min_val=-0.5, max_val=0.5)"),
    ("nn.Hardshrink()", "Hardshrink(0.5)"),
    ("nn.Threshold(0.1, 20)", "Threshold(threshold=0.1, value=20)"),
    ("nn.Softplus(beta=2)", "Softplus(beta=2, threshold=20.0)"),
    ("nn.GLU()", "GLU(dim=-1)"),
    ("nn.Conv1d(2, 3, 3, padding=1)", "Conv1d(2, 3, kernel_size=(3,), stride=(1,), padding=(1,))"),
    ("nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2, bias=False)",
     "Conv2d(2, 4, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), groups=2, bias=False)"),
    ('nn.Conv2d(1, 2, 3, padding="same", dilation=2, padding_mode="reflect")',
     "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=same, dilation=(2, 2), "
     "padding_mode=reflect)"),
    ("nn.Conv3d(1, 2, 2)", "Conv3d(1, 2, kernel_size=(2, 2, 2), stride=(1, 1, 1))"),
    ("nn.ConvTranspose1d(2, 3, 3, stride=2, output_padding=1)",
     "ConvTranspose1d(2, 3, kernel_size=(3,), stride=(2,), output_padding=(1,))"),
    ("nn.ConvTranspose2d(2, 2, 3, groups=2)",
     "ConvTranspose2d(2, 2, kernel_size=(3, 3), stride=(1, 1), groups=2)"),
    ("nn.ConvTranspose3d(1, 2, 2, bias=False)",
     "ConvTranspose3d(1, 2, kernel_size=(2, 2, 2), stride=(1, 1, 1), bias=False)"),
    ("nn.LazyConv2d(3, 2)", "LazyConv2d(0, 3, kernel_size=(2, 2), stride=(1, 1))"),
    ("nn.LazyConvTranspose1d(3, 2)", "LazyConvTranspose1d(0, 3, kernel_size=(2,), stride=(1,))"),
    ("nn.MaxPool1d(2)", "MaxPool1d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"),
    ("nn.MaxPool2d(3, stride=2, padding=1)",
     "MaxPool2d(kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=False)"),
    ("nn.MaxPool3d((2, 1, 2))",
     "MaxPool3d(kernel_size=(2, 1, 2), stride=(2, 1, 2), padding=0, dilation=1, ceil_mode=False)"),
    ("nn.AvgPool1d(3, stride=1, padding=1)", "AvgPool1d(kernel_size=(3,), stride=(1,), padding=(1,))"),
    ("nn.AvgPool2d(2)", "AvgPool2d(kernel_size=2, stride=2, padding=0)"),
    ("nn.AvgPool3d(2)", "AvgPool3d(kernel_size=2, stride=2, padding=0)"),
    ("nn.LPPool1d(2, 3)", "LPPool1d(norm_type=2, kernel_size=3, stride=None, ceil_mode=False)"),
    ("nn.LPPool2d(1.5, 2)", "LPPool2d(norm_type=1.5, kernel_size=2, stride=None, ceil_mode=False)"),
    ("nn.AdaptiveAvgPool1d(3)", "AdaptiveAvgPool1d(output_size=3)"),
    ("nn.AdaptiveAvgPool2d((None, 2))", "AdaptiveAvgPool2d(output_size=(None, 2))"),
    ("nn.AdaptiveMaxPool2d(2)", "AdaptiveMaxPool2d(output_size=2)"),
    ("nn.FractionalMaxPool2d(2, output_ratio=0.5)", "FractionalMaxPool2d()"),
    ("nn.BatchNorm1d(3)",
     "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"),
    ("nn.BatchNorm1d(3, affine=False, momentum=None)",
     "BatchNorm1d(3, eps=1e-05, momentum=None, affine=False, bias=False, track_running_stats=True)"),
    ("nn.BatchNorm2d(2, track_running_stats=False)",
     "BatchNorm2d(2, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=False)"),
    ("nn.BatchNorm3d(1, bias=False)",
     "BatchNorm3d(1, eps=1e-05, momentum=0.1, affine=True, bias=False, track_running_stats=True)"),
    ("nn.LazyBatchNorm1d()",
     "LazyBatchNorm1d(0, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"),
    ("nn.SyncBatchNorm(3)",
     "SyncBatchNorm(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"),
    ("nn.InstanceNorm1d(2)",
     "InstanceNorm1d(2, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False)"),
    ("nn.InstanceNorm2d(2, affine=True, track_running_stats=True)",
     "InstanceNorm2d(2, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"),
    ("nn.LayerNorm(4)", "LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)"),
    ("nn.LayerNorm((2, 3), bias=False)",
     "LayerNorm((2, 3), eps=1e-05, elementwise_affine=True, bias=False)"),
    ("nn.GroupNorm(2, 4)", "GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)"),
    ("nn.RMSNorm(4)", "RMSNorm((4,), eps=None, elementwise_affine=True)"),
    ("nn.LocalResponseNorm(3)", "LocalResponseNorm(3, alpha=0.0001, beta=0.75, k=1.0)"),
    ("nn.CrossMapLRN2d(3)", "CrossMapLRN2d(3, alpha=0.0001, beta=0.75, k=1)"),
    ("nn.Dropout()", "Dropout(p=0.5, inplace=False)"),
    ("nn.Dropout(0.2).eval()", "Dropout(p=0.2, inplace=False)"),
    ("nn.Dropout2d(0.4)", "Dropout2d(p=0.4, inplace=False)"),
    ("nn.AlphaDropout(0.3)", "AlphaDropout(p=0.3, inplace=False)"),
    ("nn.FeatureAlphaDropout(0.3)", "FeatureAlphaDropout(p=0.3, inplace=False)"),
    ("nn.Flatten()", "Flatten(start_dim=1, end_dim=-1)"),
    ("nn.Unflatten(1, (2, 3))", "Unflatten(dim=1, unflattened_size=(2, 3))"),
    ("nn.Fold((3, 3), 2)", "Fold(output_size=(3, 3), kernel_size=2, dilation=1, padding=0, stride=1)"),
    ("nn.Unfold(2, padding=1)", "Unfold(kernel_size=2, dilation=1, padding=1, stride=1)"),
    ("nn.PixelShuffle(2)", "PixelShuffle(upscale_factor=2)"),
    ("nn.PixelUnshuffle(2)", "PixelUnshuffle(downscale_factor=2)"),
    ("nn.ChannelShuffle(2)", "ChannelShuffle(groups=2)"),
    ("nn.Upsample(scale_factor=2)", "Upsample(scale_factor=2.0, mode='nearest')"),
    ('nn.Upsample(size=(4, 5), mode="bilinear")', "Upsample(size=(4, 5), mode='bilinear')"),
    ("nn.UpsamplingNearest2d(scale_factor=2)", "UpsamplingNearest2d(scale_factor=2.0, mode='nearest')"),
    ("nn.UpsamplingBilinear2d(size=(3, 3))", "UpsamplingBilinear2d(size=(3, 3), mode='bilinear')"),
    ("nn.ConstantPad1d(1, 3.5)", "ConstantPad1d(padding=(1, 1), value=3.5)"),
    ("nn.ConstantPad2d((1, 0, 2, 0), 1.5)", "ConstantPad2d(padding=(1, 0, 2, 0), value=1.5)"),
    ("nn.ZeroPad2d(1)", "ZeroPad2d((1, 1, 1, 1))"),
    ("nn.ReflectionPad1d(2)", "ReflectionPad1d((2, 2))"),
    ("nn.ReflectionPad2d(1)", "ReflectionPad2d((1, 1, 1, 1))"),
    ("nn.ReplicationPad3d(1)", "ReplicationPad3d((1, 1, 1, 1, 1, 1))"),
    ("nn.CircularPad1d(2)", "CircularPad1d((2, 2))"),
    ("nn.PairwiseDistance(p=1)", "PairwiseDistance()"),
    ('nn.RNN(3, 2, nonlinearity="relu", bias=False)', "RNN(3, 2, bias=False)"),
    ('nn.RNNCell(3, 2, nonlinearity="relu")', "RNNCell(3, 2, nonlinearity=relu)"),
    ("nn.MultiheadAttention(4, 2)",
     "MultiheadAttention(\n"
     "  (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)\n"
     ")"),
    ("nn.MultiheadAttention(4, 2, bias=False, kdim=3, vdim=5, batch_first=True)",
     "MultiheadAttention(\n"
     "  (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=False)\n"
     ")"),
    ("nn.TransformerEncoderLayer(4, 2, 8)",
     "TransformerEncoderLayer(\n"
     "  (self_attn): MultiheadAttention(\n"
     "    (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)\n"
     "  )\n"
     "  (linear1): Linear(in_features=4, out_features=8, bias=True)\n"
     "  (dropout): Dropout(p=0.1, inplace=False)\n"
     "  (linear2): Linear(in_features=8, out_features=4, bias=True)\n"
     "  (norm1): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)\n"
     "  (norm2): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)\n"
     "  (dropout1): Dropout(p=0.1, inplace=False)\n"
     "  (dropout2): Dropout(p=0.1, inplace=False)\n"
     ")"),
    ('nn.TransformerEncoderLayer(4, 2, 8, activation="gelu", norm_first=True, batch_first=True, bias=False)',
     "TransformerEncoderLayer(\n"
     "  (self_attn): MultiheadAttention(\n"
     "    (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=False)\n"
     "  )\n"
     "  (linear1): Linear(in_features=4, out_features=8, bias=False)\n"
     "  (dropout): Dropout(p=0.1, inplace=False)\n"
     "  (linear2): Linear(in_features=8, out_features=4, bias=False)\n"
     "  (norm1): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=False)\n"
     "  (norm2): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=False)\n"
     "  (dropout1): Dropout(p=0.1, inplace=False)\n"
     "  (dropout2): Dropout(p=0.1, inplace=False)\n"
     ")"),
    ("nn.TransformerDecoderLayer(4, 2, 8)",
     "TransformerDecoderLayer(\n"
     "  (self_attn): MultiheadAttention(\n"
     "    (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)\n"
     "  )\n"
     "  (multihead_attn): MultiheadAttention(\n"
     "    (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)\n"
     "  )\n"
     "  (linear1): Linear(in_features=4, out_features=8, bias=True)\n"
     "  (dropout): Dropout(p=0.1, inplace=False)\n"
     "  (linear2): Linear(in_features=8, out_features=4, bias=True)\n"
     "  (norm1): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)\n"
     "  (norm2): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)\n"
     "  (norm3): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)\n"
     "  (dropout1): Dropout(p=0.1, inplace=False)\n"
     "  (dropout2): Dropout(p=0.1, inplace=False)\n"
     "  (dropout3): Dropout(p=0.1, inplace=False)\n"
     ")"),
    ("nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 2)",
     "TransformerEncoder(\n"
     "  (layers): ModuleList(\n"
     "    (0-1): 2 x TransformerEncoderLayer(\n"
     "      (self_attn): MultiheadAttention(\n"
     "        (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)\n"
     "      )\n"
     "      (linear1): Linear(in_features=4, out_features=8, bias=True)\n"
     "      (dropout): Dropout(p=0.1, inplace=False)\n"
     "      (linear2): Linear(in_features=8, out_features=4, bias=True)\n"
     "      (norm1): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)\n"
     "      (norm2): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)\n"
     "      (dropout1): Dropout(p=0.1, inplace=False)\n"
     "      (dropout2): Dropout(p=0.1, inplace=False)\n"
     "    )\n"
     "  )\n"
     ")"),
    ("nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8), 2, nn.LayerNorm(4))",
     "TransformerDecoder(\n"
     "  (layers): ModuleList(\n"
     "    (0-1): 2 x TransformerDecoderLayer(\n"
     "      (self_attn): MultiheadAttention(\n"
     "        (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)\n"
     "      )\n"
     "      (multihead_attn): MultiheadAttention(\n"
     "        (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)\n"
     "      )\n"
     "      (linear1): Linear(in_features=4, out_features=8, bias=True)\n"
     "      (dropout): Dropout(p=0.1, inplace=False)\n"
     "      (linear2): Linear(in_features=8, out_features=4, bias=True)\n"
     "      (norm1): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)\n"
     "      (norm2): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)\n"
     "      (norm3): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)\n"
     "      (dropout1): Dropout(p=0.1, inplace=False)\n"
     "      (dropout2): Dropout(p=0.1, inplace=False)\n"
     "      (dropout3): Dropout(p=0.1, inplace=False)\n"
     "    )\n"
     "  )\n"
     "  (norm): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)\n"
     ")"),
    ('nn.MSELoss(reduction="sum")', "MSELoss()"),
    ("nn.SmoothL1Loss(beta=0.5)", "SmoothL1Loss()"),
    ("nn.HuberLoss(delta=0.5)", "HuberLoss()"),
    ('nn.KLDivLoss(reduction="batchmean", log_target=True)', "KLDivLoss()"),
    ('nn.SoftMarginLoss(reduction="none")', "SoftMarginLoss()"),
    ("nn.MarginRankingLoss(0.5)", "MarginRankingLoss()"),
    ("nn.CrossEntropyLoss(label_smoothing=0.1)", "CrossEntropyLoss()"),
    ("nn.TripletMarginWithDistanceLoss(swap=True)",
     "TripletMarginWithDistanceLoss(\n"
     "  (distance_function): PairwiseDistance()\n"
     ")"),
    ("nn.AdaptiveLogSoftmaxWithLoss(4, 10, [3, 6]).head",
     "Linear(in_features=4, out_features=5, bias=False)"),
    ("nn.Dropout2d(0.3, True)", "Dropout2d(p=0.3, inplace=True)"),
    ("nn.ELU(2.0, inplace=True)", "ELU(alpha=2.0, inplace=True)"),
    ('nn.Conv2d(3, 6, (3, 5), groups=3, padding_mode="circular", padding=1)',
     "Conv2d(3, 6, kernel_size=(3, 5), stride=(1, 1), padding=(1, 1), groups=3, padding_mode=circular)"),
    ("nn.ConvTranspose1d(4, 4, 3, 2, 1, 1, groups=2, dilation=2)",
     "ConvTranspose1d(4, 4, kernel_size=(3,), stride=(2,), padding=(1,), dilation=(2,), "
     "output_padding=(1,), groups=2)"),
    ("nn.Embedding(10, 3, padding_idx=-1, max_norm=1.0, sparse=True)",
     "Embedding(10, 3, padding_idx=9, max_norm=1.0, sparse=True)"),
    ('nn.EmbeddingBag(10, 3, mode="sum")', "EmbeddingBag(10, 3, mode='sum')"),
    ("nn.LSTM(3, 4, 2, bias=False, batch_first=True, bidirectional=True)",
     "LSTM(3, 4, num_layers=2, bias=False, batch_first=True, bidirectional=True)"),
    ("nn.Softmin()", "Softmin(dim=None)"),
    ("nn.MaxUnpool2d(2, 3, 1)", "MaxUnpool2d(kernel_size=(2, 2), stride=(3, 3), padding=(1, 1))"),
    ("nn.AdaptiveAvgPool2d((3, None))", "AdaptiveAvgPool2d(output_size=(3, None))"),
    ("nn.NLLLoss(kobai.ones(2))", "NLLLoss()"),
    ("nn.LinearCrossEntropyLoss(3, 4)",
     "LinearCrossEntropyLoss(\n"
     "  in_features=3, num_classes=4, out_features=(), bias=False, reduction=mean, "
     "ignore_index=None, label_smoothing=0.0, options=None\n"
     "  (linear): Linear(in_features=3, out_features=4, bias=False)\n"
     ")"),
    ("nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10])",
     "AdaptiveLogSoftmaxWithLoss(\n"
     "  (head): Linear(in_features=8, out_features=7, bias=False)\n"
     "  (tail): ModuleList(\n"
     "    (0): Sequential(\n"
     "      (0): Linear(in_features=8, out_features=2, bias=False)\n"
     "      (1): Linear(in_features=2, out_features=5, bias=False)\n"
     "    )\n"
     "    (1): Sequential(\n"
     "      (0): Linear(in_features=8, out_features=0, bias=False)\n"
     "      (1): Linear(in_features=0, out_features=10, bias=False)\n"
     "    )\n"
     "  )\n"
     ")"),
    ("nn.ParameterList([kobai.ones(2), 3])",
     "ParameterList(\n"
     "    (0): Parameter containing: [torch.float32 of size 2]\n"
     "    (1): Object of type: int\n"
     ")"),
    ('nn.ParameterDict({"b": kobai.ones(2, 3), "a": 3})',
     "ParameterDict(\n"
     "    (a): Object of type: int\n"
     "    (b): Parameter containing: [torch.FloatTensor of size 2x3]\n"
     ")"),
    ('nn.ModuleDict({"a": nn.ReLU(), "b": nn.Linear(1, 1)})',
     "ModuleDict(\n"
     "  (a): ReLU()\n"
     "  (b): Linear(in_features=1, out_features=1, bias=True)\n"
     ")"),
    ("nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh()])",
     "ModuleList(\n"
     "  (0-1): 2 x ReLU()\n"
     "  (2): Tanh()\n"
     ")"),
]


@pytest.mark.parametrize("layer, text", PRINTED, ids=[layer for layer, _ in PRINTED])
def test_repr(layer, text):
    assert repr(eval(layer, {"nn": nn, "kobai": kobai})) == text
