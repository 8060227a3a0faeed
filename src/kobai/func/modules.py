"""Modules as functions of their parameters."""
from __future__ import annotations

from ..diagnose import error
from ..op import m


def functional_call(module, parameter_and_buffer_dicts, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """Call `module` with these parameters and buffers instead of its own."""
    from ..nn import utils  # noqa: PLC0415  (nn stands above this module)
    return utils.stateless.functional_call(module, parameter_and_buffer_dicts, args, kwargs, tie_weights=tie_weights, strict=strict)


def stack_module_state(models):
    """(params, buffers): the states of equal modules, stacked, for vmap over an ensemble."""
    if not models:
        raise error("argument-count", RuntimeError("stack_module_state: Expected at least one model, got 0."),
                    what="models", count=0, need="at least {n}", n=1)
    if len({model.training for model in models}) > 1:
        raise error("argument-value",
                    RuntimeError("stack_module_state: Expected all models to have the same training/eval mode."),
                    what="models", value="", must="in one mode",
                    why="some of the models are in training mode and some in evaluation mode.",
                    fix="call model.eval() (or train()) on all of them first.")
    if len({type(model) for model in models}) > 1:
        raise error("argument-value", RuntimeError("stack_module_state: Expected all models to be of the same class."),
                    what="models", value="", must="of one class", why="the models are of different classes: {names}.",
                    names=sorted({type(model).__name__ for model in models}),
                    fix="stack only models that were built in the same way.")
    params = {n: m.stack([dict(model.named_parameters())[n] for model in models]).detach().requires_grad_(
        p.requires_grad) for n, p in models[0].named_parameters()}
    buffers = {n: m.stack([dict(model.named_buffers())[n] for model in models]).detach()
               for n, _ in models[0].named_buffers()}
    return params, buffers


def functionalize(func, *, remove="mutations"):
    """`func` itself: transforms here take in-place changes as they are."""
    return func


def replace_all_batch_norm_modules_(root):
    """Make the batch norms of `root` use the statistics of each batch only: vmap cannot update shared ones."""
    from ..nn import norm  # noqa: PLC0415  (nn stands above this module)
    for module in root.modules():
        if isinstance(module, norm._BatchNorm):
            module.track_running_stats = False
            module.running_mean = module.running_var = module.num_batches_tracked = None
    return root
