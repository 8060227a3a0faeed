import warnings
def error(code, **info):
    return RuntimeError(code+" "+repr({k:type(v) for k,v in info.items()}))
def warn(code, **info):
    warnings.warn(code)
