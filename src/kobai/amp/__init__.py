"""Mixed precision (torch.amp): products in bfloat16 or float16, and gradients scaled so that none is lost.

    with torch.autocast("cpu"):          # products in bfloat16, losses in float32, weights as they are
        loss = loss_fn(model(x), y)
    scaler.scale(loss).backward()        # float16 only: see GradScaler
"""
from .autocast_mode import autocast, custom_bwd, custom_fwd, is_autocast_available
from .grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
