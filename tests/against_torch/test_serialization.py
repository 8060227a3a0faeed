"""Files go both ways between kobai and PyTorch."""
import io

import torch

import kobai


def test_pytorch_reads_ours():
    x = kobai.arange(12.0).reshape(3, 4)
    file = io.BytesIO()
    kobai.save({"views": [x, x.T], "p": kobai.nn.Parameter(kobai.ones(2)), "half": kobai.ones(2).bfloat16(),
                "dtype": kobai.int32, "number": kobai.tensor(3.5)}, file)
    file.seek(0)
    back = torch.load(file)
    assert torch.equal(back["views"][1], torch.arange(12.0).reshape(3, 4).T)
    back["views"][0][0, 1] = 50
    assert back["views"][1][1, 0] == 50
    assert isinstance(back["p"], torch.nn.Parameter) and back["half"].dtype == torch.bfloat16
    assert back["dtype"] is torch.int32 and back["number"] == 3.5


def test_we_read_pytorchs():
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    file = io.BytesIO()
    p = torch.nn.Parameter(torch.ones(2))
    torch.save({"model": model.state_dict(), "view": torch.arange(4.0)[1:], "p": p}, file)
    file.seek(0)
    back = kobai.load(file)
    ours = kobai.nn.Sequential(kobai.nn.Linear(2, 3), kobai.nn.BatchNorm1d(3))
    ours.load_state_dict(back["model"])
    assert ours[0].weight.tolist() == model[0].weight.tolist()
    assert back["view"].tolist() == [1, 2, 3] and back["p"].requires_grad
