"""The classic mistakes, one function each; the tests compare what kobai says about them with golden files."""
import kobai as torch


def changed_in_place_before_backward():
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    z = y * y
    y.add_(1)
    z.sum().backward()


def second_backward():
    x = torch.tensor(2.0, requires_grad=True)
    y = x**2
    y.backward()
    y.backward()


def backward_on_a_vector():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.backward()


def nothing_requires_grad():
    x = torch.tensor([1.0, 2.0])
    loss = x.sum()
    loss.backward()


def graph_cut_by_detach():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * 3).detach()
    loss.sum().backward()


def detached_loss():
    w = torch.tensor(1.0, requires_grad=True)
    loss = (w * 3).detach()
    loss.backward()


def backward_without_recording():
    w = torch.tensor(1.0, requires_grad=True)
    with torch.no_grad():
        loss = w * 3
        loss.backward()


def integers_with_gradient():
    x = torch.tensor(2)
    x.requires_grad_()


def requires_grad_off_inside_the_graph():
    w = torch.tensor(1.0, requires_grad=True)
    y = w * 2
    y.requires_grad_(False)


def numpy_of_a_recorded_tensor():
    w = torch.ones(2, requires_grad=True)
    w.numpy()


def parameter_changed_outside_no_grad():
    w = torch.ones(2, requires_grad=True)
    w += 1


def view_of_a_leaf_changed():
    w = torch.ones(2, requires_grad=True)
    w[0] = 5.0


def in_place_result_too_large():
    x = torch.ones(3)
    x.add_(torch.ones(2, 3))


def write_to_an_expanded_tensor():
    x = torch.ones(1).expand(3)
    x.add_(1)


def shapes_that_do_not_broadcast():
    a = torch.ones(2, 3)
    b = torch.ones(2, 4)
    return a + b


def an_expression_over_several_lines():
    a = torch.ones(2, 3)
    return torch.cat([
        a,
        torch.ones(2, 4),
    ])


def shapes_that_do_not_multiply():
    a = torch.ones(2, 3)
    b = torch.ones(2, 3)
    return a @ b


def wrong_number_of_features():
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(5, 1))
    model(torch.ones(2, 4))


def float64_data_into_a_float32_layer():
    model = torch.nn.Sequential(torch.nn.Linear(3, 2))
    model(torch.ones(4, 3, dtype=torch.float64))


def unused_input():
    w = torch.ones(2, requires_grad=True)
    v = torch.ones(2, requires_grad=True)
    torch.autograd.grad((w * 2).sum(), [w, v])


def input_without_gradient():
    w = torch.ones(2, requires_grad=True)
    x = torch.ones(2)
    torch.autograd.grad((w * x).sum(), x)


def gradient_of_wrong_shape():
    w = torch.ones(2, requires_grad=True)
    y = w * 2
    y.backward(torch.ones(3))


def number_from_inside_vmap():
    torch.vmap(lambda x: torch.tensor(x.item()))(torch.ones(3))


def grad_of_a_result():
    w = torch.ones(2, requires_grad=True)
    y = w * 2
    return y.grad


def nan_in_forward():
    w = torch.tensor([1.0, -1.0], requires_grad=True)
    with torch.autograd.set_detect_anomaly(True):
        loss = torch.log(w).sum()
    return loss


def nan_in_backward():
    w = torch.zeros(2, requires_grad=True)
    with torch.autograd.set_detect_anomaly(True):
        loss = (w.sqrt() * w).sum()
        loss.backward()
