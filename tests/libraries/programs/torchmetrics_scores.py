"""torchmetrics: metrics as modules that keep state, alone and in collections, in a loop and as functions."""

import warnings

import torch
import torchmetrics as tm

warnings.filterwarnings("ignore")
torch.manual_seed(0)
scores, labels = torch.randn(40, 3).softmax(1), torch.randint(0, 3, (40,))
kind = {"task": "multiclass", "num_classes": 3}
for metric in (tm.Accuracy(**kind), tm.Accuracy(**kind, top_k=2), tm.F1Score(**kind, average="macro"), tm.Precision(**kind, average=None),
               tm.ConfusionMatrix(**kind), tm.AUROC(**kind), tm.CalibrationError(**kind), tm.CohenKappa(**kind), tm.JaccardIndex(**kind),
               tm.MatthewsCorrCoef(**kind), tm.AveragePrecision(**kind)):
    for part in range(0, 40, 10):
        metric.update(scores[part:part + 10], labels[part:part + 10])
    print(type(metric).__name__, metric.compute())
    metric.reset()
binary = tm.classification.BinaryAccuracy(threshold=0.4), tm.classification.BinaryROC(thresholds=5), tm.classification.BinaryF1Score()
for metric in binary:
    print(type(metric).__name__, metric(scores[:, 0], (labels == 0).int()))
x = torch.randn(30)
y = x + 0.1 * torch.randn(30)
for metric in (tm.MeanSquaredError(), tm.MeanAbsoluteError(), tm.R2Score(), tm.PearsonCorrCoef(), tm.SpearmanCorrCoef(),
               tm.ExplainedVariance(), tm.KendallRankCorrCoef(), tm.CosineSimilarity()):
    pair = (x, y) if "Cosine" not in type(metric).__name__ else (x[None], y[None])
    print(type(metric).__name__, metric(*pair))
for metric in (tm.MeanMetric(), tm.MaxMetric(), tm.SumMetric(), tm.CatMetric()):
    metric.update(x[:3])
    metric.update(5.0)
    print(type(metric).__name__, metric.compute())
both = tm.MetricCollection([tm.MeanSquaredError(), tm.MeanAbsoluteError()], prefix="val_")
print(both(x, y), both.clone(prefix="train_"), sep="\n")
print(tm.functional.pairwise_cosine_similarity(torch.randn(3, 4)), tm.functional.mean_squared_error(x, y))
net = torch.nn.Linear(1, 1)
loss = tm.MeanSquaredError()(net(x[:, None])[:, 0], y)  # metrics can be differentiated
loss.backward()
print(loss, net.weight.grad)
